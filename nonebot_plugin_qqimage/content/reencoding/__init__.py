"""Pictures re-encoded so that they fit what somebody can take."""
