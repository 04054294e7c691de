//! When kills came.

/// When a kill came, by what it left.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moment {
    /// There was nothing yet.
    Early,
    HalfWay,
    /// The image was there.
    Late,
}

impl Moment {
    pub(super) fn of(begun: bool, done: bool) -> Self {
        match (begun, done) {
            (false, _) => Self::Early,
            (true, false) => Self::HalfWay,
            (true, true) => Self::Late,
        }
    }
}

/// How many kills came when.
#[derive(Debug, Default)]
pub(super) struct Moments {
    pub(super) early: u64,
    pub(super) half_way: u64,
    pub(super) late: u64,
}

impl Moments {
    pub(super) fn count(&mut self, moment: Moment) {
        *match moment {
            Moment::Early => &mut self.early,
            Moment::HalfWay => &mut self.half_way,
            Moment::Late => &mut self.late,
        } += 1;
    }
}
