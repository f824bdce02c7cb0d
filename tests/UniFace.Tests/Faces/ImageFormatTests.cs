using System.Text;
using UniFace.Faces;

namespace UniFace.Tests.Faces;

/// <summary>The first bytes of a file decide its format; other bytes are never taken for an image.</summary>
public class ImageFormatTests
{
    public static TheoryData<string, string> Starts => new()
    {
        { "\xFF\xD8\xFF\xE0\0\x10JFIF", "JPEG" },
        { "\x89PNG\r\n\x1A\n\0\0\0\rIHDR", "PNG" },
        { "RIFF\x10\0\0\0WEBPVP8 ", "WebP" },
        { "GIF89a\x01\0\x01\0", "GIF" },
        { "BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "BMP" },
        { "BMW is a car, and this is text of some length", "unknown" },
        { "\0\0\0\x18" + "ftypheic\0\0\0\0mif1heic", "HEIC" },
        { "\0\0\0\x18" + "ftypmif1\0\0\0\0mif1heic", "HEIC" },
        { "\0\0\0\x1C" + "ftypmif1\0\0\0\0mif1avifmiaf", "AVIF" },
        { "\0\0\0\x14" + "ftypavif\0\0\0\0avif", "AVIF" },
        { "\0\0\0\x14" + "ftypisom\0\0\0\0mp41", "video" },
        { "\0\0\0\x14" + "ftypcrx \0\0\0\0crx ", "camera raw" },
        { "II*\0\x08\0\0\0", "TIFF" },
        { "MM\0*\0\0\0\x08", "TIFF" },
        { "II*\0\x10\0\0\0CR\x02\0", "camera raw" },
        { "\xFF\x0A\xFA", "JPEG XL" },
        { "\0\0\0\x0CjP  \r\n\x87\n", "JPEG 2000" },
        { "8BPS\0\x01", "PSD" },
        { "\xEF\xBB\xBF<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG" },
        { "<!DOCTYPE html><title>404</title>", "HTML" },
        { "%PDF-1.7", "PDF" },
        { "PK\x03\x04\x14", "ZIP" },
        { "\x1F\x8B\x08\0", "gzip" },
        { new string('\0', 257) + "ustar\0", "tar" },
        { "data:image/jpeg;base64,/9j/", "data URL" },
        { "version https://git-lfs.github.com/spec/v1", "Git LFS pointer" },
        { "P6\n1 1\n255\n", "Netpbm" },
        { "hello", "unknown" },
        { "", "unknown" },
    };

    [Theory]
    [MemberData(nameof(Starts))]
    public void A_format_is_recognised_by_the_first_bytes(string start, string name) =>
        Assert.Equal(name, ImageFormat.Detect(Encoding.Latin1.GetBytes(start)).Name);

    [Fact]
    public void A_truncated_header_never_throws()
    {
        foreach (string start in Starts.Select(row => row.Data.Item1))
        {
            byte[] bytes = Encoding.Latin1.GetBytes(start);
            for (int length = 0; length < bytes.Length; length++)
            {
                Assert.NotEmpty(ImageFormat.Detect(bytes.AsSpan(0, length)).Description);
            }
        }
    }
}
