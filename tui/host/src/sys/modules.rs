//! Where the loader put a library.
#![allow(unsafe_code)] // dladdr

/// Load address of the library that holds `symbol`, 0 when the loader does not know it.
pub(crate) fn base_of(symbol: *const std::ffi::c_void) -> u64 {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: dladdr only compares the address with the loader's tables and fills `info` when it
    // returns non-zero; a zeroed Dl_info is valid.
    let info = unsafe {
        if libc::dladdr(symbol, info.as_mut_ptr()) == 0 {
            return 0;
        }
        info.assume_init()
    };
    info.dli_fbase as u64
}
