"""Shows the fibers of weft in gdb, in a live process and in a core file.

    (gdb) source weft_gdb.py
    (gdb) info fibers            every fiber: id, name, state, what it waits in, where it was spawned
    (gdb) fiber 7                from now on `bt`, `up` and `frame` show fiber 7
    (gdb) fiber                  which one is selected
    (gdb) fiber thread           back to the thread
    (gdb) fiber apply all bt     a backtrace of every fiber

Nothing in the process is changed: the frames of a suspended fiber are put behind the frame that the thread is in, which
is shown as frame 0. weft needs no debug information for that, only its symbols."""

import gdb
from gdb.unwinder import Unwinder, register_unwinder

FRESH, STARTED = 1, 2
RUNNING, LEAVING, SUSPENDED, READY = range(4)
# The order is that of weft_debugger_layout.
FIELDS = ('version chunk_older chunk_block_bytes chunk_carved chunk_first_block chunk_bytes life on_stack id name site '
          'has_std_location run waits_for context seat occupant core_index core_thread saved_pc saved_fp saved_sp').split()
REGISTERS = {'i386:x86-64': ('rip', 'rbp', 'rsp'), 'aarch64': ('pc', 'x29', 'sp')}
# What reading memory raises that does not hold what it should.
DAMAGE = (gdb.error, OverflowError, ValueError)


def read(address, size):
    data = gdb.selected_inferior().read_memory(address, size)
    return int.from_bytes(bytes(data), 'little')


def pointer(address):
    return read(address, 8)


def text(address, longest=4096):
    if address == 0:
        return ''
    return gdb.Value(address).cast(gdb.lookup_type('char').pointer()).string(errors='replace', length=-1)[:longest]


def symbol_address(name):
    return int(gdb.parse_and_eval('(unsigned long)&' + name))


def layout():
    start = symbol_address('weft_debugger_layout')
    fields = {name: read(start + 4 * i, 4) for i, name in enumerate(FIELDS)}
    if fields['version'] != 3:
        raise gdb.GdbError(f'weft_gdb.py does not know layout {fields["version"]} of this weft')
    return fields


class Fiber:
    def __init__(self, at, record):
        self.record = record
        self.id = pointer(record + at['id'])
        name = pointer(record + at['name'])  # A length in one byte, and the characters.
        self.name = bytes(gdb.selected_inferior().read_memory(name + 1, read(name, 1))).decode('utf-8', 'replace') if name else ''
        self.site = self.site_of(at, pointer(record + at['site']))
        self.stack = pointer(record + at['on_stack']) if read(record + at['life'], 1) == STARTED else 0
        self.run = read(self.stack + at['run'], 4) if self.stack else None
        if self.run not in (None, RUNNING, LEAVING, SUSPENDED, READY):
            raise ValueError(self.run)
        self.occupant = pointer(self.stack + at['occupant']) if self.stack else 0
        self.calls = []  # Of an occupant: who is called on its stack.
        self.called_by = None  # The occupant, where it is not known which of several it is that runs.
        self.seat = pointer(self.stack + at['seat']) if self.stack else 0
        self.context = pointer(self.stack + at['context']) if self.stack else 0
        self.core = read(self.seat + at['core_index'], 8) if self.seat else None
        self.thread = read(self.seat + at['core_thread'], 4) if self.seat else None
        self.call = text(pointer(self.stack + at['waits_for'])) if self.run in (LEAVING, SUSPENDED) else ''
        self.registers = None
        if self.run in (SUSPENDED, READY) and self.context:
            self.registers = (pointer(self.context + at['saved_pc']), pointer(self.context + at['saved_fp']),
                              self.context + at['saved_sp'])

    @staticmethod
    def site_of(at, site):
        # std::source_location points to {file, function, line, column}.
        if site == 0 or not at['has_std_location']:
            return ''
        return f'{text(pointer(site))}:{read(site + 16, 4)}'

    def state(self):
        if self.calls:
            return ('calls fiber ' if len(self.calls) == 1 else 'calls fibers ') + ', '.join(map(str, self.calls))
        on = f' on core {self.core}' if self.core is not None else ''
        if self.run is None:
            return 'has not started'
        stack = f'stands on the stack of fiber {self.called_by}, which ' if self.called_by is not None else ''
        return stack + {RUNNING: 'runs' + on, LEAVING: 'is about to wait in ' + self.call, SUSPENDED: 'waits in ' + self.call,
                        READY: 'is ready to run' + on}[self.run]

    def title(self):
        name = f' "{self.name}"' if self.name else ''
        site = f', spawned at {self.site}' if self.site else ''
        return f'fiber {self.id}{name}, {self.state()}{site}'


def linked(first, next_of, what, tell):
    """The members of a list, which may be damaged: it need not end, nor lead to memory that is there."""
    seen = set()
    while first and first not in seen:
        seen.add(first)
        yield first
        try:
            first = next_of(first)
        except DAMAGE:
            tell(f'the list of {what} breaks off at {first:#x}\n')
            return
    if first:
        tell(f'the list of {what} is a ring at {first:#x}\n')


def records(at, tell):
    """Where the records of live fibers lie."""
    room = at['chunk_bytes'] - at['chunk_first_block']
    for runtime in linked(pointer(symbol_address('weft_debugger_runtimes')), pointer, 'runtimes', tell):
        try:
            newest = pointer(pointer(runtime + 8))
        except DAMAGE:
            tell(f'runtime at {runtime:#x} is damaged\n')
            continue
        for chunk in linked(newest, lambda each: pointer(each + at['chunk_older']), 'chunks', tell):
            try:
                size, count = read(chunk + at['chunk_block_bytes'], 4), read(chunk + at['chunk_carved'], 4)
            except DAMAGE:
                size, count = 0, 1
            if size * count > room or (count > 0 and size == 0):
                tell(f'chunk of records at {chunk:#x} is damaged\n')
                count = room // size if size else 0
            for record in range(chunk + at['chunk_first_block'], chunk + at['chunk_first_block'] + count * size, size or 1):
                try:
                    if read(record + at['life'], 1) in (FRESH, STARTED):
                        yield record
                except DAMAGE:
                    tell(f'fiber record at {record:#x} is damaged\n')
                    break  # The chunk is not there, or not whole.


def fibers(tell=lambda line: None):
    """Every fiber that can be read; `tell` is called with a line about each that cannot."""
    at, found, by_stack = layout(), [], {}
    for record in records(at, tell):
        try:
            fiber = Fiber(at, record)
        except DAMAGE:
            tell(f'fiber record at {record:#x} is damaged\n')
            continue
        found.append(fiber)
        by_stack.setdefault(fiber.stack, {})[record] = fiber
    for stack, there in by_stack.items():
        occupant = there.get(next(iter(there.values())).occupant) if stack else None
        if occupant is not None:
            called = [each for each in there.values() if each is not occupant]
            occupant.calls = [each.id for each in called]
            for each in called if len(called) > 1 else []:
                each.called_by = occupant.id
    return found


def fiber_by_id(wanted):
    for each in fibers():
        if each.id == wanted:
            return each
    raise gdb.GdbError(f'no fiber {wanted}; `info fibers` lists them')


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class FiberUnwinder(Unwinder):
    """Says that the thread's innermost frame was called by the suspended code of the selected fiber."""

    def __init__(self):
        super().__init__('weft-fiber')
        self.fiber = None
        self.real = None  # Program counter and stack pointer of the thread at the time of the selection.

    def select(self, fiber):
        self.fiber = self.real = None
        gdb.invalidate_cached_frames()
        if fiber is not None:
            frame = gdb.newest_frame()
            pc, _, sp = REGISTERS[frame.architecture().name()]
            self.real = (int(frame.read_register(pc)), int(frame.read_register(sp)))
            self.fiber = fiber
            gdb.invalidate_cached_frames()

    def __call__(self, pending):
        names = REGISTERS.get(pending.architecture().name()) if self.fiber else None
        if names is None:
            return None
        here = (int(pending.read_register(names[0])), int(pending.read_register(names[2])))
        if here != self.real:
            return None
        # gdb stops where a caller seems to lie further down the stack than what it called, and fibers lie anywhere.
        info = pending.create_unwind_info(FrameId(gdb.Value(self.fiber.registers[2]), gdb.Value(here[0])))
        word = gdb.lookup_type('unsigned long')
        for name, value in zip(names, self.fiber.registers):
            like = pending.read_register(name)
            info.add_saved_register(name, gdb.Value(value).cast(word).cast(like.type))
        return info


UNWINDER = FiberUnwinder()


def thread_of(fiber):
    for thread in gdb.selected_inferior().threads():
        if fiber.thread in (thread.ptid[1], thread.ptid[2]):
            return thread
    return None


def select(fiber):
    """Selects it for the commands that follow; False where it has no frames."""
    if fiber.registers is not None:
        UNWINDER.select(fiber)
        older = gdb.newest_frame().older()
        if older is not None:
            older.select()
        return older is not None
    UNWINDER.select(None)
    thread = thread_of(fiber) if fiber.run in (RUNNING, LEAVING) else None
    if thread is not None:
        thread.switch()
    return thread is not None


class InfoFibers(gdb.Command):
    """Lists the fibers of every weft runtime in the process."""

    def __init__(self):
        super().__init__('info fibers', gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        found = fibers(gdb.write)
        for each in found:
            gdb.write(('* ' if UNWINDER.fiber and UNWINDER.fiber.id == each.id else '  ') + each.title() + '\n')
        gdb.write(f'{len(found)} fibers\n')


class FiberCommand(gdb.Command):
    """fiber ID: the commands that follow show fiber ID. fiber thread: the thread again. fiber: which one it is."""

    def __init__(self):
        super().__init__('fiber', gdb.COMMAND_STACK, gdb.COMPLETE_NONE, True)

    def invoke(self, argument, from_tty):
        if not argument:
            gdb.write((UNWINDER.fiber.title() if UNWINDER.fiber else 'no fiber is selected') + '\n')
        elif argument == 'thread':
            UNWINDER.select(None)
        else:
            try:
                wanted = int(argument, 0)
            except ValueError:
                raise gdb.GdbError('fiber: give the id of a fiber, `thread`, or nothing') from None
            fiber = fiber_by_id(wanted)
            gdb.write(fiber.title() + '\n')
            if not select(fiber):
                gdb.write('it has no frames\n')


class FiberApply(gdb.Command):
    """fiber apply all COMMAND, fiber apply ID... COMMAND: runs COMMAND for each of these fibers."""

    def __init__(self):
        super().__init__('fiber apply', gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        words = argument.split()
        count = 1 if words[:1] == ['all'] else next((i for i, w in enumerate(words) if not w.isdigit()), len(words))
        command = ' '.join(words[count:])
        if not command or count == 0:
            raise gdb.GdbError('fiber apply: all or ids, then a command')
        chosen = fibers(gdb.write) if words[0] == 'all' else [fiber_by_id(int(w)) for w in words[:count]]
        before, thread = UNWINDER.fiber, gdb.selected_thread()
        try:
            for each in chosen:
                gdb.write(f'\n{each.title()}\n')
                if select(each):
                    gdb.execute(command, from_tty)
        finally:
            if thread is not None and thread.is_valid():
                thread.switch()
            UNWINDER.select(before)


InfoFibers()
FiberCommand()
FiberApply()
register_unwinder(None, UNWINDER, replace=True)
