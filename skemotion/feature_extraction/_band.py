"""The band in which the extended set looks for the voice, in Hz.

Above it, the filters of resamplers and codecs for 16 kHz begin, at 7.2 kHz; below
it are hum, and the constant that a recorder adds. What a band that is cut off there
measures is the filter.
"""

LOWEST, HIGHEST = 50.0, 7000.0
MIN_SAMPLING_RATE = 16_000  # of which a resampler leaves that much
