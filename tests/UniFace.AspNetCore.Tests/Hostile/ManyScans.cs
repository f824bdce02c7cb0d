namespace UniFace.AspNetCore.Tests.Hostile;

/// <summary>Writes grey progressive JPEGs of many empty scans: small files that take long to decode.</summary>
internal static class ManyScans
{
    /// <summary>A complete JPEG of uniform grey.</summary>
    public static byte[] Jpeg(int width, int height, int scans)
    {
        int blocks = (width + 7) / 8 * ((height + 7) / 8), runs = (blocks + 16383) / 16384; // a code and 14 bits end 16384 blocks
        return
        [
            0xFF, 0xD8,
            .. Segment(0xDB, [0, .. Enumerable.Repeat((byte)1, 64)]),
            .. Segment(0xC2, [8, (byte)(height >> 8), (byte)height, (byte)(width >> 8), (byte)width, 1, 1, 0x11, 0]),
            .. Segment(0xC4, [0x00, 1, .. new byte[15], 0x00]), // DC: the bit 0 says that nothing changed
            .. Segment(0xC4, [0x10, 1, .. new byte[15], 0xE0]), // AC: the bit 0 ends a run of blocks
            .. Segment(0xDA, [1, 1, 0x00, 0, 0, 0]), .. new byte[(blocks + 7) / 8],
            .. Enumerable.Range(1, scans - 1).SelectMany(_ => Segment(0xDA, [1, 1, 0x00, 1, 63, 0]).Concat(new byte[((runs * 15) + 7) / 8])),
            0xFF, 0xD9,
        ];
    }

    private static byte[] Segment(byte kind, byte[] content) => [0xFF, kind, (byte)((content.Length + 2) >> 8), (byte)(content.Length + 2), .. content];
}
