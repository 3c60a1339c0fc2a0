"""All that stands between a spider and the web: where we may go, how often, what we carry, and what failures mean.

A request passes `redirect`, `robots`, `retry` and `door` in this order on its way out; `door` is the only place
where it leaves the process, and `resolver` has the last word on the address.
"""
