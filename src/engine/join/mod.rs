//! prediction ⋈ label by id.
