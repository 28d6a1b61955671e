"""A daemon under load, faults and kills, and its books afterwards."""
