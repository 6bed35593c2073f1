from ._formats import write_timelines as write_timelines
from ._result import EmotionTimeline as EmotionTimeline
from ._result import Segment as Segment
from ._stream import emotion_timeline as emotion_timeline
from ._stream import iter_timeline as iter_timeline
