"""The router as a server that speaks OpenAI's wire format: whoever speaks it is routed, capped and booked."""
