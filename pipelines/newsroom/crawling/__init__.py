"""When and how sources are crawled: one crawl, its queue, its time; what is kept of it."""
