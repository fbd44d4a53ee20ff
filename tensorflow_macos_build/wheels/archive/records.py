"""The records of a zip file: how they are packed, and what begins each.

Format: PKWARE's APPNOTE.TXT 6.3.10; numbers of sections are that document's.
"""

from __future__ import annotations

import struct

LOCAL = struct.Struct("<4s5H3L2H")  # 4.3.7
CENTRAL = struct.Struct("<4s6H3L5H2L")  # 4.3.12
END = struct.Struct("<4s4H2LH")  # 4.3.16
LOCATOR64 = struct.Struct("<4sLQL")  # 4.3.15
END64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14

LOCAL_SIGNATURE = b"PK\x03\x04"
CENTRAL_SIGNATURE = b"PK\x01\x02"
END_SIGNATURE = b"PK\x05\x06"
LOCATOR64_SIGNATURE = b"PK\x06\x07"
END64_SIGNATURE = b"PK\x06\x06"
DESCRIPTOR_SIGNATURE = b"PK\x07\x08"

# General purpose bit flag, 4.4.4: bits 0, 3, 6, 11 and 13.
FLAG_ENCRYPTED = 0x0001
FLAG_DESCRIPTOR = 0x0008
FLAG_STRONG_ENCRYPTION = 0x0040
FLAG_UTF8 = 0x0800
FLAG_MASKED = 0x2000

EXTRA_ZIP64 = 0x0001  # 4.5.3
EXTRA_UNICODE_PATH = 0x7075  # 4.6.9

MASK16 = 0xFFFF
MASK32 = 0xFFFFFFFF
"""What stands for a number that does not fit: a ZIP64 record (4.4.1.4) or field (4.5.3) has it."""
