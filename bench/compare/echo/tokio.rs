use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn serve(mut peer: TcpStream) {
    let mut buffer = [0u8; 4096];
    while let Ok(n) = peer.read(&mut buffer).await {
        if n == 0 || peer.write_all(&buffer[..n]).await.is_err() {
            return;
        }
    }
}

async fn compute() {
    loop {
        let end = Instant::now() + Duration::from_millis(10);
        while Instant::now() < end {}
        tokio::task::yield_now().await;
    }
}

fn main() {
    let what = race::ordered("pingpong", 0);
    let with_hog = what.variant == "hog";
    race::run(what.cores, async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("listening on {}", listener.local_addr().unwrap());
        if with_hog {
            tokio::spawn(compute());
        }
        loop {
            let (peer, _) = listener.accept().await.unwrap();
            peer.set_nodelay(true).unwrap();
            tokio::spawn(serve(peer));
        }
    });
}
