using System.Buffers.Binary;
using SkiaSharp;
using UniFace.Faces;
using UniFace.TestSupport;
using UniFace.Vision.Imaging;
using UniFace.Vision.Liveness;
using UniFace.Vision.Models;
using UniFace.Vision.Onnx;
using UniFace.Vision.Photos;
using UniFace.Vision.Tests.Decoding;

namespace UniFace.Vision.Tests;

/// <summary>Damaged, huge and malicious images and models are read or refused within bounded memory.</summary>
public sealed class ImageFuzzTests : IDisposable
{
    // 7 bytes each: below what one reading may take here.
    private readonly SkiaImageDecoder decoder = new() { MaxPixels = 6_000_000 };
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Webp)]
    [InlineData(SKEncodedImageFormat.Bmp)]
    public void Damaged_images_are_read_or_refused(SKEncodedImageFormat format)
    {
        RgbImage[] images = [TestImages.Smooth(40, 30), TestImages.Noise(16, 16, 1)];
        Fuzzer.Run([.. images.Select(p => format == SKEncodedImageFormat.Bmp ? TestImages.Bmp(p) : TestImages.Encode(p, format))], bytes =>
        {
            RgbImage image = decoder.Decode(bytes, "image");
            Assert.Equal(3 * image.Width * image.Height, image.Pixels.Length);
        });
    }

    [Fact]
    public void Containers_full_of_metadata_damaged_in_any_way_are_read_or_refused()
    {
        RgbImage image = TestImages.Smooth(40, 30);
        byte[] lossy = Containers.WebP(image, lossless: false, transparent: true);
        byte[] animated = Containers.AnimateWebP(40, 30, [.. lossy.AsSpan(0, 12), .. lossy.AsSpan(30)]);
        byte[][] seeds = [.. Containers.Kinds.Select(kind => Containers.Store(kind, image, 6)), Containers.Gif(), animated];
        Fuzzer.Run(seeds, bytes => decoder.Decode(bytes, "image"));
    }

    [Fact]
    public void Damaged_HEIC_and_AVIF_files_are_read_or_refused()
    {
        string[] seeds = [HeifContainerTests.Upright, HeifContainerTests.OnItsSide, HeifContainerTests.Avif];
        Fuzzer.Run([.. seeds.Select(Convert.FromBase64String)], bytes => decoder.Decode(bytes, "image"));
    }

    [Fact]
    public void Damaged_models_are_rewritten_or_left_alone()
    {
        string path = Path.Combine(folder, "m.onnx");
        string damaged = Path.Combine(folder, "damaged.onnx");
        TinyOnnx.WriteEmbedder(path, 16, 16, 4);
        Fuzzer.Run([File.ReadAllBytes(path)], bytes =>
        {
            File.WriteAllBytes(damaged, bytes);
            OnnxFile.Read(damaged);
            Int8Weights.Quantize(bytes, "model.onnx");
        });
    }

    [Fact]
    public void Weights_and_their_manifest_damaged_in_any_way_are_read_or_refused()
    {
        byte[] manifest =
        [
            .. """[{"paths":["w.bin"],"weights":[{"name":"a","shape":[3,2],"dtype":"float32"},"""u8,
            .. """{"name":"b","shape":[2,2,2,5],"dtype":"float32","quantization":{"dtype":"uint8","scale":0.5,"min":-3}}]}]"""u8,
        ];
        byte[] values = [.. Enumerable.Range(0, 24 + 40).Select(i => (byte)(i & 0x3F))];
        Fuzzer.Run([manifest], bytes => TfjsWeights.Read(bytes, values, "weights"), allowed: 4L << 20);
        Fuzzer.Run([values], bytes => TfjsWeights.Read(manifest, bytes, "weights"), allowed: 4L << 20);
    }

    [Theory]
    [InlineData(9999, 9999)]
    [InlineData(65535, 1200)]
    [InlineData(1 << 30, 1 << 30)]
    [InlineData(100, int.MaxValue)]
    public void A_small_file_that_claims_a_huge_size_is_refused_before_memory_is_allocated(int width, int height)
    {
        byte[] png = TestImages.Encode(TestImages.Noise(16, 16, 1), SKEncodedImageFormat.Png);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), TestImages.Crc32(png.AsSpan(12, 17)));
        long before = GC.GetAllocatedBytesForCurrentThread();
        UniFaceException e = Assert.Throws<UniFaceException>(() => new SkiaImageDecoder().Decode(png, "bomb.png"));
        Assert.StartsWith("bomb.png: ", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void A_truncated_image_is_one_clear_error_and_a_large_plain_one_is_read()
    {
        byte[] jpeg = TestImages.Encode(TestImages.Noise(64, 64, 1), SKEncodedImageFormat.Jpeg);
        for (int length = 0; length < jpeg.Length - 2; length += 41)
        {
            UniFaceException e = Assert.Throws<UniFaceException>(() => new SkiaImageDecoder().Decode(jpeg.AsMemory(0, length), "cut.jpg"));
            Assert.StartsWith("cut.jpg: ", e.Message, StringComparison.Ordinal);
        }

        // The most compressible PNG.
        byte[] plain = TestImages.Encode(new RgbImage(3000, 2000), SKEncodedImageFormat.Png);
        Assert.Equal(3000, new SkiaImageDecoder().Decode(plain, "plain.png").Width);
    }

    [Fact]
    public void Damaged_descriptions_of_liveness_models_are_read_or_refused() => Fuzzer.Run(
        ["{ \"onnxFile\": \"liveness.onnx\", \"threshold\": 0.9, \"liveIndex\": 1, \"scale\": 2.7, \"colorOrder\": \"bgr\" }"u8.ToArray()], bytes =>
        {
            string path = Path.Combine(folder, "liveness.json");
            File.WriteAllBytes(path, bytes);
            LivenessModel.Load(path);
        });

    [Fact]
    public void Damaged_reports_of_an_alignment_are_ignored() => Fuzzer.Run(
        ["{ \"summary\": { \"settings\": { \"padding\": 0.1 } }, \"skipped\": [], \"severalFaces\": [], \"leftOut\": [] }"u8.ToArray()], bytes =>
        {
            string path = Path.Combine(folder, AlignReport.FileName);
            File.WriteAllBytes(path, bytes);
            AlignReport.ReadSettings(path);
        });
}
