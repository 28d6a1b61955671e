"""The limiter against models of real servers, in virtual time, beside what others do."""
