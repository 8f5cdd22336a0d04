/*
 * User-Mode Linux on a processor with AMX, by LD_PRELOAD.
 *
 * UML keeps the wide registers of its processes by PTRACE_GETREGSET and _SETREGSET of NT_X86_XSTATE. Until
 * Linux 6.12 it has 2,696 bytes for them, which is all up to AVX-512 (arch/x86/um/user-offsets.c
 * HOST_FP_SIZE). AMX makes them 11,008, a read of which may stop short, but a write may not: it ends in
 * EFAULT (arch/x86/kernel/fpu/regset.c xstateregs_set), and the guest's init dies of it. So a write
 * that stops short is completed with what the process has. None of it is lost: what lies behind the
 * 2,696 bytes is used by no process that has not asked for it.
 *
 * Built by uml.mjs with tcc, which is small and brings no header.
 */
long syscall(long number, ...);
int *__errno_location(void);

enum { SYS_ptrace = 101, PTRACE_PEEKTEXT = 1, PTRACE_PEEKUSER = 3 };
enum { PTRACE_GETREGSET = 0x4204, PTRACE_SETREGSET = 0x4205, NT_X86_XSTATE = 0x202 };

struct iovec {
    char *base;
    unsigned long length;
};

/* Not on the stack: UML calls from its kernel threads, whose stacks are small. It has one of us at a time. */
static char state[65536];

long ptrace(int request, int pid, long address, struct iovec *data)
{
    struct iovec whole = { state, sizeof state };
    unsigned long i;
    long word;

    if (request == PTRACE_SETREGSET && address == NT_X86_XSTATE
        && syscall(SYS_ptrace, (long)PTRACE_GETREGSET, (long)pid, address, &whole) == 0
        && data->length < whole.length) {
        for (i = 0; i < data->length; i++)
            state[i] = data->base[i];
        data = &whole;
    }
    if (request < PTRACE_PEEKTEXT || request > PTRACE_PEEKUSER)
        return syscall(SYS_ptrace, (long)request, (long)pid, address, data);

    /* The system call stores the word that libc's function returns, see ptrace(2). */
    if (syscall(SYS_ptrace, (long)request, (long)pid, address, &word) < 0)
        return -1;
    *__errno_location() = 0;
    return word;
}
