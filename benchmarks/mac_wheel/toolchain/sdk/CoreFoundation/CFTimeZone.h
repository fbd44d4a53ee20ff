/* The part of CoreFoundation that Abseil calls, for zig has the C library's headers only. */
#pragma once
#ifdef __cplusplus
extern "C" {
#endif
typedef const struct __CFTimeZone *CFTimeZoneRef;
typedef const struct __CFString *CFStringRef;
typedef const void *CFTypeRef;
typedef signed long CFIndex;
typedef unsigned int CFStringEncoding;
enum { kCFStringEncodingUTF8 = 0x08000100 };
CFTimeZoneRef CFTimeZoneCopyDefault(void);
CFStringRef CFTimeZoneGetName(CFTimeZoneRef zone);
CFIndex CFStringGetLength(CFStringRef text);
CFIndex CFStringGetMaximumSizeForEncoding(CFIndex length, CFStringEncoding encoding);
unsigned char CFStringGetCString(CFStringRef text, char *buffer, CFIndex size, CFStringEncoding encoding);
void CFRelease(CFTypeRef object);
#ifdef __cplusplus
}
#endif
