//! The crash handler of a host: signal, address and raw frames into the control page, then death.
//!
//! Runs on a stack of its own, so that a stack overflow is reported too (in the main thread, where
//! agents run; an overflow in a thread that an agent started is known by its signal only).
//! Symbolising is left to the workbench, which is not damaged.
#![allow(unsafe_code)] // signal handlers

use crate::page::{Claims, FRAMES};
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// A signal handler is given no context: this is the one place it can find the page.
static PAGE: AtomicPtr<Claims> = AtomicPtr::new(std::ptr::null_mut());
static ENTERED: AtomicBool = AtomicBool::new(false);

const SIGNALS: [i32; 7] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGABRT,
    libc::SIGTRAP,
    libc::SIGSYS,
];
const STACK: usize = 256 * 1024;

/// Installs the handler for the rest of the process; `page` must stay mapped as long.
pub(crate) fn install(page: &'static Claims) -> std::io::Result<()> {
    PAGE.store(std::ptr::from_ref(page).cast_mut(), Ordering::SeqCst);
    page.stack_low.store(stack_low(), Ordering::SeqCst);
    // The unwinder allocates and takes locks on its first use: not in a handler, please.
    backtrace::trace(|_| false);
    let stack = Box::leak(vec![0_u8; STACK].into_boxed_slice());
    let alt = libc::stack_t {
        ss_sp: stack.as_mut_ptr().cast(),
        ss_flags: 0,
        ss_size: STACK,
    };
    // SAFETY: the stack is leaked, so it outlives the thread.
    if unsafe { libc::sigaltstack(&raw const alt, std::ptr::null_mut()) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    for signal in SIGNALS {
        // SAFETY: a zeroed sigaction is valid; the handler has the SA_SIGINFO signature and uses
        // only what is safe in a handler.
        let done = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_crash as *const () as usize;
            action.sa_flags = libc::SA_ONSTACK | libc::SA_SIGINFO | libc::SA_RESETHAND;
            libc::sigemptyset(&raw mut action.sa_mask);
            libc::sigaction(signal, &raw const action, std::ptr::null_mut())
        };
        if done != 0 {
            return Err(std::io::Error::last_os_error());
        }
    }
    Ok(())
}

extern "C" fn on_crash(signal: i32, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: set once by `install` from a reference that lives for ever.
    let page = unsafe { PAGE.load(Ordering::SeqCst).as_ref() };
    if let Some(page) = page
        && !ENTERED.swap(true, Ordering::SeqCst)
    {
        // SAFETY: the kernel passes a valid siginfo to an SA_SIGINFO handler.
        let address = unsafe { (*info).si_addr() } as u64;
        page.address.store(address, Ordering::SeqCst);
        page.pc.store(program_counter(context), Ordering::SeqCst);
        page.signal.store(signal, Ordering::SeqCst);
        // An unwinder that hangs in a damaged process must not keep it alive.
        // SAFETY: both are async-signal-safe and take plain integers.
        unsafe {
            libc::signal(libc::SIGALRM, libc::SIG_DFL);
            libc::alarm(1);
        }
        record_frames(page);
    }
    // The default action is back (SA_RESETHAND); the signal is blocked until this returns and then
    // ends the process with the right wait status.
    // SAFETY: async-signal-safe.
    unsafe { libc::raise(signal) };
}

fn record_frames(page: &Claims) {
    let mut count = 0_usize;
    // SAFETY: the other threads of a host that could unwind at the same time are the agent's own;
    // the process is about to end, and the alarm above bounds a deadlock.
    unsafe {
        backtrace::trace_unsynchronized(|frame| {
            page.frames[count].store(frame.ip() as u64, Ordering::SeqCst);
            count += 1;
            #[allow(clippy::cast_possible_truncation)] // at most FRAMES
            page.frame_count.store(count as u32, Ordering::SeqCst);
            count < FRAMES
        });
    }
}

/// Lowest address of the main thread's stack, 0 where it is not known.
fn stack_low() -> u64 {
    #[cfg(target_os = "linux")]
    // SAFETY: attr is initialised by pthread_getattr_np before it is read and destroyed after.
    unsafe {
        let mut attr: libc::pthread_attr_t = std::mem::zeroed();
        if libc::pthread_getattr_np(libc::pthread_self(), &raw mut attr) != 0 {
            return 0;
        }
        let (mut low, mut size) = (std::ptr::null_mut(), 0);
        libc::pthread_attr_getstack(&raw const attr, &raw mut low, &raw mut size);
        libc::pthread_attr_destroy(&raw mut attr);
        low as u64
    }
    #[cfg(not(target_os = "linux"))]
    0
}

/// The instruction that crashed, 0 where the layout of the context is not known to us.
fn program_counter(context: *mut c_void) -> u64 {
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    // SAFETY: the kernel passes a valid ucontext to an SA_SIGINFO handler.
    unsafe {
        let context = &*context.cast::<libc::ucontext_t>();
        #[allow(clippy::cast_sign_loss)] // an address
        return context.uc_mcontext.gregs[libc::REG_RIP as usize] as u64;
    }
    #[cfg(all(target_os = "linux", target_arch = "aarch64"))]
    // SAFETY: as above.
    unsafe {
        return (*context.cast::<libc::ucontext_t>()).uc_mcontext.pc;
    }
    #[allow(unreachable_code)]
    {
        let _ = context;
        0
    }
}
