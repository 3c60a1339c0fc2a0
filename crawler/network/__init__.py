"""The layers between a spider and the web: allowed addresses, pace, credentials, and the meaning of failures.

A request passes `redirect`, `robots`, `retry` and `door` in this order on its way out; `door` is the only place
where it leaves the process, and `resolver` has the last word on the address.
"""
