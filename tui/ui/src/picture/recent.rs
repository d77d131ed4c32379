//! Values that were used not long ago, as many as a limit allows.

use std::collections::VecDeque;

/// Values by key, the one used longest ago first. Small: keys are compared one by one.
#[derive(Debug)]
pub struct Recent<K, V> {
    kept: VecDeque<(K, V, usize)>,
    cost: usize,
    most: usize,
}

impl<K: PartialEq, V> Recent<K, V> {
    /// Keeps values whose costs sum up to at most `most`; the newest is kept whatever it costs.
    pub const fn new(most: usize) -> Self {
        Self {
            kept: VecDeque::new(),
            cost: 0,
            most,
        }
    }

    /// A value, which thereby counts as just used.
    pub fn get(&mut self, key: &K) -> Option<&mut V> {
        let at = self.kept.iter().position(|(k, ..)| k == key)?;
        let entry = self.kept.remove(at)?;
        self.kept.push_back(entry);
        self.kept.back_mut().map(|(_, value, _)| value)
    }

    /// A value, without using it.
    pub fn peek(&self, key: &K) -> Option<&V> {
        let found = self.kept.iter().find(|(k, ..)| k == key);
        found.map(|(_, value, _)| value)
    }

    /// Keeps a value in place of an older one.
    pub fn put(&mut self, key: K, value: V, cost: usize) {
        self.retain(|k, _| *k != key);
        self.kept.push_back((key, value, cost));
        self.cost += cost;
        while self.cost > self.most && self.kept.len() > 1 {
            self.cost -= self.kept.pop_front().map_or(0, |(.., cost)| cost);
        }
    }

    pub fn retain(&mut self, keep: impl Fn(&K, &V) -> bool) {
        self.kept.retain(|(k, v, _)| keep(k, v));
        self.cost = self.kept.iter().map(|(.., cost)| cost).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let mut kept = Recent::new(10);
        kept.put('a', 1, 4);
        kept.put('b', 2, 4);
        assert_eq!(kept.get(&'a'), Some(&mut 1));
        kept.put('c', 3, 4);
        assert_eq!((kept.peek(&'a'), kept.peek(&'b')), (Some(&1), None));
        // In place of an older value it costs once.
        kept.put('c', 5, 6);
        assert_eq!((kept.peek(&'a'), kept.peek(&'c')), (Some(&1), Some(&5)));
        kept.put('d', 4, 100);
        assert_eq!((kept.peek(&'c'), kept.peek(&'d')), (None, Some(&4)));
    }
}
