"""Small files of every format, in the forms that phones, programs and servers write."""
