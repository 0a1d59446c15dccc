extension PythonSandbox {
  /// The Python that sets up the sandbox: it reads a job as JSON and prints what became of it as JSON.
  ///
  /// Three processes: the outer one, which stays outside and judges; the first of the new namespace, whose end ends
  /// all others; and the program's own.
  static let runner = #"""
    import ctypes, json, os, resource, select, signal, sys, time

    # The kernel counts the processes of a user on the whole host: a user of its own for every sandbox, or what another
    # rank's programs start would count here.
    NOBODY, OWN_USER = 65534, (1 << 30) + os.getpid()
    NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
    REC, BIND, PRIVATE, NOSUID, NODEV = 0x4000, 0x1000, 0x40000, 2, 4
    SET_DUMPABLE = 4
    SYSTEM_FOLDERS = ["/usr", "/lib", "/lib64", "/bin", "/etc/localtime"]
    DEVICES = ["/dev/null", "/dev/zero", "/dev/urandom"]
    libc = ctypes.CDLL(None, use_errno=True)


    def call(what, *arguments):
        """A C function whose failure is an exception that names what was tried."""
        if getattr(libc, what)(*arguments) < 0:
            number = ctypes.get_errno()
            raise OSError(number, f"{what}{arguments[:2] if what == 'mount' else ''}: {os.strerror(number)}")


    def mount(source, target, flags, kind=b"none", data=None):
        call("mount", source.encode(), target.encode(), kind, ctypes.c_ulong(flags), data)


    def enter_namespaces():
        """No network, no view of other processes, a file system of its own. Returns whether as the real root."""
        spaces = NEWNS | NEWUTS | NEWIPC | NEWPID | NEWNET
        if os.geteuid() == 0:
            try:
                call("unshare", spaces)
                return True
            except OSError:
                become_nobody()
                call("prctl", SET_DUMPABLE, 1, 0, 0, 0)  # or /proc/self belongs to root from now on
        user, group = os.geteuid(), os.getegid()
        call("unshare", spaces | NEWUSER)
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
        return False


    def become_nobody():
        os.setgroups([])
        for user in (OWN_USER, NOBODY):
            try:
                os.setresgid(user, user, user)
                return os.setresuid(user, user, user)
            except OSError:
                if user == NOBODY:  # the last that a container may know
                    raise


    def build_root(root, disk):
        """A root of what Python needs, read-only, and an empty folder /work in memory."""
        mount("none", "/", REC | PRIVATE)
        mount("none", root, NOSUID | NODEV, b"tmpfs", b"mode=755,size=1m")
        for path in {*SYSTEM_FOLDERS, sys.base_prefix, sys.base_exec_prefix, os.path.dirname(os.__file__)}:
            show(path, root)
        for path in DEVICES:
            show(path, root)
        os.mkdir(root + "/work")
        make_read_only(root)
        mount("none", root + "/work", NOSUID | NODEV, b"tmpfs", b"mode=1777,size=%d" % disk)
        os.chroot(root)
        os.chdir("/work")


    def show(path, root):
        """The file, folder or link at the same place below the new root."""
        target = root + path
        if not os.path.lexists(path) or os.path.lexists(target):
            return
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.islink(path):
            os.symlink(os.readlink(path), target)
            return
        if os.path.isdir(path):
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT, 0o644))
        mount(path, target, BIND | REC)


    def make_read_only(root):
        """mount_setattr, which goes through all mounts below; it has one number on all processors."""
        read_only_and_no_setuid = (ctypes.c_uint64 * 4)(1 | 2, 0, 0, 0)
        call("syscall", ctypes.c_long(442), ctypes.c_long(-100), ctypes.c_char_p(root.encode()), ctypes.c_long(0x8000),
             read_only_and_no_setuid, ctypes.c_long(32))


    def give_up_rights(is_root):
        for capability in range(64):
            libc.prctl(24, capability, 0, 0, 0)
        if is_root:
            become_nobody()
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)
        call("capset", header, (ctypes.c_uint32 * 6)())
        call("prctl", 38, 1, 0, 0, 0)  # no new privileges


    def limit(job):
        def set_to(kind, most):
            allowed = resource.getrlimit(kind)[1]
            most = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
            resource.setrlimit(kind, (most, most))

        set_to(resource.RLIMIT_CORE, 0)
        set_to(resource.RLIMIT_CPU, job["cpuSeconds"])
        set_to(resource.RLIMIT_AS, job["memoryByteCount"])
        set_to(resource.RLIMIT_FSIZE, job["fileByteCount"])
        set_to(resource.RLIMIT_NOFILE, 64)
        set_to(resource.RLIMIT_NPROC, job["processCount"])


    def run_tests(job, verdict, token):
        """In the program's process. The token that passing takes lies in a pipe and is read when all tests are done."""
        report = lambda kind, message="": os.write(verdict, json.dumps([kind, message[:1000]]).encode())
        world = {"__name__": "program"}
        try:
            for stage, text in (("program", job["program"]), ("tests", job["tests"])):
                exec(compile(text, f"<{stage}>", "exec"), world)
            report("passed", os.read(token, 64).decode())
        except MemoryError:
            report("limit", "out of memory")
        except BaseException as error:
            try:
                report("failed", f"{type(error).__name__}: {error}")
            except BaseException:
                report("failed", type(error).__name__)
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BaseException:
                pass


    def worker(job, output, verdict, token, setup, is_root):
        os.setsid()
        null = os.open("/dev/null", os.O_RDONLY)
        for target, source in ((0, null), (1, output), (2, output)):
            os.dup2(source, target)
        sys.stdin, sys.stdout, sys.stderr = (open(number, mode) for number, mode in ((0, "r"), (1, "w"), (2, "w")))
        os.environ.clear()  # Python itself adds LC_CTYPE
        try:
            give_up_rights(is_root)
            limit(job)
        except (OSError, ValueError) as error:
            os.write(setup, str(error).encode())
            return
        os.close(setup)
        run_tests(job, verdict, token)


    def first_process(job, root, output, verdict, token, setup, is_root):
        """Process 1 of the namespace: when it ends, the kernel ends all others."""
        call("prctl", 1, signal.SIGKILL, 0, 0, 0)  # ends with its parent
        try:
            build_root(root, job["fileByteCount"])
        except OSError as error:
            os.write(setup, str(error).encode())
            os._exit(0)
        child = os.fork()
        if child == 0:
            os.close(0)
            try:
                worker(job, output, verdict, token, setup, is_root)
            finally:
                os._exit(0)
        for end in (output, verdict, token, setup):
            os.close(end)
        while True:
            process, status = os.wait()
            if process == child:
                os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


    def collect(streams, deadline, most):
        """What comes out of the pipes before they are closed; None when the time is up first."""
        texts = {stream: b"" for stream in streams}
        open_streams = list(streams)
        while open_streams:
            ready = select.select(open_streams, [], [], max(0, deadline - time.monotonic()))[0]
            if not ready:
                return None
            for stream in ready:
                block = os.read(stream, 1 << 16)
                texts[stream] = (texts[stream] + block)[:most]
                if not block:
                    open_streams.remove(stream)
        return [texts[stream] for stream in streams]


    def run(job):
        root = job["folder"]
        deadline = time.monotonic() + job["wallSeconds"]
        try:
            is_root = enter_namespaces()
        except OSError as error:
            return {"kind": "unavailable", "message": str(error)}
        (output, output_end), (verdict, verdict_end), (setup, setup_end) = os.pipe(), os.pipe(), os.pipe()
        token_end, token_source = os.pipe()
        process = os.fork()
        if process == 0:
            for end in (output, verdict, setup, token_source, 1):
                os.close(end)
            first_process(job, root, output_end, verdict_end, token_end, setup_end, is_root)
        for end in (output_end, verdict_end, setup_end, token_end):
            os.close(end)
        # Made after the fork: the program's process never has it in its memory.
        token = os.urandom(16).hex()
        try:
            os.write(token_source, token.encode())
        except BrokenPipeError:  # it has ended already, and has said why
            pass
        texts = collect([output, verdict, setup], deadline, job["outputByteCount"])
        if texts is None:
            os.kill(process, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        if texts and texts[2]:
            return {"kind": "unavailable", "message": texts[2].decode(errors="replace")}
        if texts is None or status in (128 + signal.SIGXCPU, 128 + signal.SIGKILL):
            return {"kind": "timedOut", "message": ""}
        return {**judged(texts[1], token, status), "output": texts[0].decode(errors="replace")}


    def judged(verdict, token, status):
        try:
            kind, message = map(str, json.loads(verdict))
            message = message.encode("utf-8", "replace").decode()  # what is no text would spoil the report
        except Exception:  # also nesting without end, which the parser gives up
            return {"kind": "failed", "message": f"ended before its tests were done, with status {status}"}
        if kind == "passed" and message == token:
            return {"kind": "passed", "message": ""}
        # The program can write here too, though to no use: what it may say of itself is that it failed.
        return {"kind": "limit" if kind == "limit" else "failed", "message": message}


    job = json.load(sys.stdin)
    signal.alarm(int(job["wallSeconds"]) + 5)
    print(json.dumps(run(job)))
    """#
}
