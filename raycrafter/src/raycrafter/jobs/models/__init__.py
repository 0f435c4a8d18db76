"""The models: a Job has Frames, Batches carry them, Attempts are tries at one."""

from .access import AccessToken, JobShare
from .batches import Batch
from .cluster import BlockedNode, Lease, Licence, Share, Site
from .events import Event
from .frames import Attempt, Frame, frame_path
from .jobs import Job, JobQuerySet
from .notifications import Channel, Notification, NotificationChoice
from .uploads import Upload
from .workspaces import Transfer, Workspace

__all__ = [
    "AccessToken",
    "Attempt",
    "Batch",
    "BlockedNode",
    "Channel",
    "Event",
    "Frame",
    "Job",
    "JobQuerySet",
    "JobShare",
    "Lease",
    "Licence",
    "Notification",
    "NotificationChoice",
    "Share",
    "Site",
    "Transfer",
    "Upload",
    "Workspace",
    "frame_path",
]
