"""The truth of a job: paid responses and decisions, durable before they count; all other files derived from them."""
