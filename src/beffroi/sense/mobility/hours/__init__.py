"""How busy each hour is: what was counted, by place and kind of day, and when it is better."""
