// A painter computes, reads and writes files, and starts threads. What it has no use for is
// refused: what speaks to other processes, here or on other machines, looks into them or stops
// them, changes what Landlock does not watch, or changes the machine. (A list of what is allowed
// would be safer still, but would have to know every system call of every library, on every kernel
// to come.)
#include "work/system_calls.h"

#include <asm/sockios.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/temporary_file.h"

namespace limn {
namespace {

constexpr std::array kRefused = {
    // other processes
    SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(kcmp),
    SCMP_SYS(pidfd_getfd), SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal), SCMP_SYS(tkill),
    SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo), SCMP_SYS(process_madvise),
    SCMP_SYS(process_mrelease), SCMP_SYS(migrate_pages), SCMP_SYS(move_pages),
    SCMP_SYS(sched_setscheduler), SCMP_SYS(sched_setparam), SCMP_SYS(sched_setattr),
    SCMP_SYS(ioprio_set),
    // what they share: sockets (of any kind: a server of this machine may believe whoever
    // connects),
    // memory, semaphores and queues
    SCMP_SYS(socket), SCMP_SYS(shmget), SCMP_SYS(shmat), SCMP_SYS(shmctl), SCMP_SYS(semget),
    SCMP_SYS(semop), SCMP_SYS(semtimedop), SCMP_SYS(semctl), SCMP_SYS(msgget), SCMP_SYS(msgsnd),
    SCMP_SYS(msgrcv), SCMP_SYS(msgctl), SCMP_SYS(mq_open), SCMP_SYS(mq_unlink),
    // a way out of the group of processes that is ended with it
    SCMP_SYS(setsid), SCMP_SYS(setpgid),
    // of files that it may read only: their length, rights, owners and attributes. And links.
    SCMP_SYS(truncate), SCMP_SYS(truncate64), SCMP_SYS(chmod), SCMP_SYS(fchmod), SCMP_SYS(fchmodat),
    SCMP_SYS(chown), SCMP_SYS(lchown), SCMP_SYS(fchown), SCMP_SYS(fchownat), SCMP_SYS(setxattr),
    SCMP_SYS(lsetxattr), SCMP_SYS(fsetxattr), SCMP_SYS(removexattr), SCMP_SYS(lremovexattr),
    SCMP_SYS(fremovexattr), SCMP_SYS(symlink), SCMP_SYS(symlinkat), SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
    // the file system as a whole, and ways around its permissions
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(fsopen),
    SCMP_SYS(fsmount), SCMP_SYS(fsconfig), SCMP_SYS(move_mount), SCMP_SYS(open_tree),
    SCMP_SYS(mount_setattr), SCMP_SYS(open_by_handle_at), SCMP_SYS(name_to_handle_at),
    SCMP_SYS(quotactl), SCMP_SYS(swapon), SCMP_SYS(swapoff),
    // the kernel
    SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(init_module),
    SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(syslog), SCMP_SYS(acct),
    SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(keyctl),
    // namespaces, in which it would have more rights
    SCMP_SYS(unshare), SCMP_SYS(setns),
    // the clock
    SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(adjtimex), SCMP_SYS(clock_adjtime),
    // whose work no filter sees: sockets among it
    SCMP_SYS(io_uring_setup), SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register)};

constexpr int kFchmodat2 = 452, kSetxattrat = 463, kRemovexattrat = 466;  // newer than libseccomp

class Filter {
 public:
  Filter() : filter_(seccomp_init(SCMP_ACT_ALLOW)) {
    if (filter_ == nullptr) fail_to_make(ENOMEM);
  }
  ~Filter() { seccomp_release(filter_); }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  void refuse(int call, int error = EPERM) {
    check(seccomp_rule_add(filter_, SCMP_ACT_ERRNO(error), call, 0));
  }
  void refuse_if(int call, scmp_arg_cmp argument) {
    check(seccomp_rule_add(filter_, SCMP_ACT_ERRNO(EPERM), call, 1, argument));
  }
  // The kernel looks at the lower half of an argument that is an int.
  void refuse_value(int call, unsigned argument, std::uint32_t value) {
    refuse_if(call, SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, 0xffffffffU, value));
  }
  // libseccomp writes the program to a file only.
  std::vector<sock_filter> program() const;

 private:
  [[noreturn]] static void fail_to_make(int error) {
    fail(ErrorKind::resources, "cannot make a painter's sandbox: {}", std::strerror(error));
  }
  static void check(int result) {
    if (result < 0) fail_to_make(-result);
  }
  scmp_filter_ctx filter_;
};

std::vector<sock_filter> Filter::program() const {
  const Descriptor file(memfd_create("filter", MFD_CLOEXEC));
  if (file.number() < 0) fail_to_make(errno);
  check(seccomp_export_bpf(filter_, file.number()));
  const off_t bytes = lseek(file.number(), 0, SEEK_END);
  if (bytes <= 0) fail_to_make(EIO);
  std::vector<sock_filter> program(static_cast<size_t>(bytes) / sizeof(sock_filter));
  if (pread(file.number(), program.data(), bytes, 0) != bytes) fail_to_make(EIO);
  return program;
}

// Signals to itself alone, which is how a program aborts. Other ways than kill() to send one: by
// the owner of a file.
void refuse_signals(Filter& filter) {
  filter.refuse_if(SCMP_SYS(kill), SCMP_A0_64(SCMP_CMP_NE, kOwnProcess));
  filter.refuse_if(SCMP_SYS(tgkill), SCMP_A0_64(SCMP_CMP_NE, kOwnProcess));
  for (const int command : {F_SETOWN, F_SETOWN_EX, F_SETSIG}) {
    filter.refuse_value(SCMP_SYS(fcntl), 1, command);
  }
  for (const int command : {FIOSETOWN, SIOCSPGRP}) {
    filter.refuse_value(SCMP_SYS(ioctl), 1, command);
  }
}

// Landlock asks for the right to write where a file is opened for writing. But O_TRUNC empties a
// file that is opened for reading too, and access 3, meant for ioctl alone, asks for nothing.
void refuse_odd_opening(Filter& filter) {
  for (const auto& [call, flags] :
       {std::pair(SCMP_SYS(open), 1U), std::pair(SCMP_SYS(openat), 2U)}) {
    filter.refuse_if(
        call, SCMP_CMP64(flags, SCMP_CMP_MASKED_EQ, O_ACCMODE | O_TRUNC, O_RDONLY | O_TRUNC));
    filter.refuse_if(call, SCMP_CMP64(flags, SCMP_CMP_MASKED_EQ, O_ACCMODE, O_ACCMODE));
  }
}

void add_rules(Filter& filter) {
  for (const int call : kRefused) filter.refuse(call);
  for (const int call : {kFchmodat2, kSetxattrat, kRemovexattrat}) filter.refuse(call);
  refuse_signals(filter);
  refuse_odd_opening(filter);
  // Another process's limits and priority.
  filter.refuse_if(SCMP_SYS(prlimit64), SCMP_A0_64(SCMP_CMP_NE, 0));
  filter.refuse_if(SCMP_SYS(setpriority), SCMP_A1_64(SCMP_CMP_NE, 0));
  // It dies with its worker.
  filter.refuse_value(SCMP_SYS(prctl), 0, PR_SET_PDEATHSIG);
  constexpr scmp_datum_t kNewNamespaces = CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID;
  for (scmp_datum_t bit = 1; bit <= kNewNamespaces; bit <<= 1) {
    if ((kNewNamespaces & bit) == 0) continue;
    filter.refuse_if(SCMP_SYS(clone), SCMP_A0_64(SCMP_CMP_MASKED_EQ, bit, bit));
  }
  // Their flags lie in memory, where no filter sees them; the C library then takes clone and
  // openat.
  filter.refuse(SCMP_SYS(clone3), ENOSYS);
  filter.refuse(SCMP_SYS(openat2), ENOSYS);
}

}  // namespace

std::vector<sock_filter> filter_of_system_calls() {
  if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0) return {};
  Filter filter;
  add_rules(filter);
  return filter.program();
}

}  // namespace limn
