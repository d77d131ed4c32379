//! Where this thread is: raw frames of a library, for panics and for errors without a place. Names and lines are found
//! by the workbench.
#![allow(unsafe_code)] // the unwinder and the dynamic linker are C

/// Instruction pointers of this library's frames, innermost first, relative to its load address.
#[cfg(unix)]
pub(crate) fn frames() -> Vec<u64> {
    let mut pointers: Vec<usize> = Vec::with_capacity(64);
    // SAFETY: the unwinder calls `collect` with the pointer given here, before it returns.
    unsafe {
        ffi::_Unwind_Backtrace(ffi::collect, (&raw mut pointers).cast());
    }
    let own = ffi::base_of(frames as *const () as usize);
    let own_only = pointers
        .into_iter()
        .filter(|pointer| own.is_some() && ffi::base_of(*pointer) == own);
    own_only
        .map(|pointer| (pointer - own.unwrap_or(0)) as u64)
        .collect()
}

#[cfg(not(unix))]
pub(crate) fn frames() -> Vec<u64> {
    Vec::new()
}

#[cfg(unix)]
mod ffi {
    use std::ffi::{c_char, c_int, c_void};

    #[repr(C)]
    struct DlInfo {
        file_name: *const c_char,
        file_base: *mut c_void,
        symbol_name: *const c_char,
        symbol_address: *mut c_void,
    }

    // SAFETY: both are as their C headers declare them; the standard library links them already.
    unsafe extern "C" {
        pub(super) fn _Unwind_Backtrace(
            visit: extern "C" fn(*mut c_void, *mut c_void) -> c_int,
            argument: *mut c_void,
        ) -> c_int;
        fn _Unwind_GetIP(context: *mut c_void) -> usize;
        fn dladdr(address: *const c_void, info: *mut DlInfo) -> c_int;
    }

    /// One frame; 0 means go on, anything else stops.
    pub(super) extern "C" fn collect(context: *mut c_void, pointers: *mut c_void) -> c_int {
        // SAFETY: `frames` passes its own vector, and nobody else touches it meanwhile.
        let pointers = unsafe { &mut *pointers.cast::<Vec<usize>>() };
        // SAFETY: the unwinder's own context.
        pointers.push(unsafe { _Unwind_GetIP(context) });
        c_int::from(pointers.len() == pointers.capacity())
    }

    /// Load address of the file that holds this code.
    pub(super) fn base_of(address: usize) -> Option<usize> {
        let mut info = DlInfo {
            file_name: std::ptr::null(),
            file_base: std::ptr::null_mut(),
            symbol_name: std::ptr::null(),
            symbol_address: std::ptr::null_mut(),
        };
        // SAFETY: `dladdr` only looks the address up and fills in `info`.
        let known = unsafe { dladdr(address as *const c_void, &raw mut info) } != 0;
        known.then_some(info.file_base as usize)
    }
}
