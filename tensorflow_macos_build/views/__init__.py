"""Values as documents, lines and pages for people."""
