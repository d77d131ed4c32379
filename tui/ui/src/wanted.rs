//! What the newest frame lacks and what it is given: pictures, labels, pixels, commands for the engine. Getting them is
//! left to the binary.

use crate::picture::{
    Graphics, LabelsRequest, Medium, ParsedLabels, PictureId, PictureRequest, Pixels,
    PixelsRequest, Shot,
};
use crate::{Placement, Screen, Ui};
use wb_core::command::Command;
use wb_core::ids::TaskId;

impl Ui {
    /// Pictures that the newest frame lacks, the most urgent first. What is no longer listed is no longer wanted.
    #[must_use]
    pub fn wanted_pictures(&self) -> Vec<PictureRequest> {
        self.pictures.wanted()
    }

    /// Sets what the file of a task holds, or the reason why it cannot be shown.
    pub fn set_medium(&mut self, task: TaskId, medium: Result<Medium, String>) {
        self.pictures.put_medium(task, medium);
    }

    /// Sets a decoded picture, or the reason why there is none. Scale pictures down to about 1000 pixels a
    /// side first: more only costs time.
    pub fn set_picture(&mut self, id: PictureId, shot: Result<Shot, String>) {
        self.pictures.put_shot(id, shot);
    }

    /// Labels that the newest frame would draw; [`LabelsRequest::parse`] reads them, beside this thread.
    pub fn wanted_labels(&mut self) -> Vec<LabelsRequest> {
        self.pictures.take_wanted_labels()
    }

    /// Takes parsed labels: the next frame draws them.
    pub fn set_labels(&mut self, labels: ParsedLabels) {
        self.pictures.put_labels(labels);
    }

    /// Changes how pictures are shown, once it is known what the terminal can do.
    pub fn set_graphics(&mut self, graphics: Graphics) {
        self.pictures.set_graphics(graphics);
    }

    /// Pixels that the newest frame would show; [`PixelsRequest::encode`] makes them, beside this thread. Ask until
    /// there are none.
    pub fn missing_pixels(&mut self) -> Option<PixelsRequest> {
        self.pictures.drawn.take_missing()
    }

    /// Takes encoded pixels: the next frame shows them.
    pub fn set_pixels(&mut self, pixels: Pixels) {
        self.pictures.drawn.put_pixels(pixels);
    }

    /// Where the newest frame shows which pixels.
    #[must_use]
    pub fn placements(&self) -> &[Placement] {
        self.pictures.drawn.placed()
    }

    /// Whether the next frame goes on with what this one has begun: a search, or a document, of megabytes.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.search_goes_on() || self.screen == Screen::Task && self.task.is_unread()
    }

    /// Asks the engine for something once the frame is drawn.
    pub(crate) fn want(&mut self, command: Command) {
        self.wanted.push(command);
    }

    /// What the newest frame asks the engine for, once.
    pub fn take_wanted(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.wanted)
    }
}
