from gevent.server import StreamServer


def serve(peer, _):
    while data := peer.recv(4096):
        peer.sendall(data)


server = StreamServer(("127.0.0.1", 0), serve, backlog=4096)
server.start()
print("listening on 127.0.0.1:%d" % server.server_port, flush=True)
server.serve_forever()
