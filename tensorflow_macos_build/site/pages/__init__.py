"""The pages of a site, each made of the documents that it shows."""
