//! What dependencies ask for, as a graph that is walked while the crate compiles: for the fetch list, and
//! so that the error for a circle has its names, where the compiler's would be about constants and queries.
#![allow(unsafe_code)] // statics that point at each other

/// For the macros: one dependency and what it asks for.
pub struct DependencyNode {
    name: &'static str,
    /// Where it is written: names alone are not unique.
    place: &'static str,
    own: u64,
    others: &'static [DependencyRef],
}

/// For the macros: leads to the node of a dependency. A pointer, because the compiler looks through
/// references in constants, and would walk in circles itself.
#[derive(Clone, Copy)]
pub struct DependencyRef(*const DependencyNode);

// SAFETY: it is made from a reference that lives for ever to something that cannot be changed.
unsafe impl Sync for DependencyRef {}

impl DependencyRef {
    /// To these.
    #[must_use]
    pub const fn of(node: &'static DependencyNode) -> Self {
        Self(std::ptr::from_ref(node))
    }

    const fn node(self) -> &'static DependencyNode {
        // SAFETY: `of` took it from such a reference.
        unsafe { &*self.0 }
    }

    /// The needs of this dependency and of all that it leads to.
    ///
    /// # Panics
    /// While the crate compiles, when it leads to itself.
    #[must_use]
    #[track_caller]
    pub const fn needs(self) -> u64 {
        walk(&Way {
            here: self.node(),
            before: None,
        })
    }
}

impl DependencyNode {
    /// `own` are the needs of its built-in parameters, `others` the dependencies it asks for.
    #[must_use]
    pub const fn new(
        name: &'static str,
        place: &'static str,
        own: u64,
        others: &'static [DependencyRef],
    ) -> Self {
        Self {
            name,
            place,
            own,
            others,
        }
    }

    /// One that asks for no other.
    pub(crate) const fn alone(name: &'static str, own: u64) -> Self {
        Self {
            name,
            place: "",
            own,
            others: &[],
        }
    }
}

/// The way to a dependency, from the one that was asked first.
struct Way<'w> {
    here: &'static DependencyNode,
    before: Option<&'w Way<'w>>,
}

#[track_caller]
const fn walk(way: &Way<'_>) -> u64 {
    let mut needs = way.here.own;
    let mut n = 0;
    while n < way.here.others.len() {
        let here = way.here.others[n].node();
        let next = Way {
            here,
            before: Some(way),
        };
        let mut earlier = Some(way);
        while let Some(known) = earlier {
            if same(known.here.name, here.name) && same(known.here.place, here.place) {
                circle(&next, known.here);
            }
            earlier = known.before;
        }
        needs |= walk(&next);
        n += 1;
    }
    needs
}

/// Reports the circle that begins and ends with `first`.
#[track_caller]
const fn circle(way: &Way<'_>, first: &DependencyNode) -> ! {
    let mut text = Text {
        bytes: [0; 512],
        from: 512,
    };
    // Written from its end, as the way is known.
    text.before(way.here.name);
    let mut earlier = way.before;
    while let Some(known) = earlier {
        text.before(" → ");
        text.before(known.here.name);
        if same(known.here.name, first.name) && same(known.here.place, first.place) {
            break;
        }
        earlier = known.before;
    }
    text.before("dependencies ask for each other in a circle: ");
    let (_, text) = text.bytes.split_at(text.from);
    match core::str::from_utf8(text) {
        Ok(text) => panic!("{}", text),
        Err(_) => panic!("dependencies ask for each other in a circle"),
    }
}

struct Text {
    bytes: [u8; 512],
    from: usize,
}

impl Text {
    /// Puts text before what is there; what does not fit is left away.
    const fn before(&mut self, text: &str) {
        let text = text.as_bytes();
        if text.len() > self.from {
            return;
        }
        self.from -= text.len();
        let mut n = 0;
        while n < text.len() {
            self.bytes[self.from + n] = text[n];
            n += 1;
        }
    }
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut n = 0;
    while n < a.len() {
        if a[n] != b[n] {
            return false;
        }
        n += 1;
    }
    true
}
