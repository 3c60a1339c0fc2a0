"""Commands that `scrapy` has in this project besides its own."""
