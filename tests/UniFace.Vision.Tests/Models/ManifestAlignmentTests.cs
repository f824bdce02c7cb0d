using System.Text.Json;
using System.Text.Json.Nodes;
using UniFace.Faces;
using UniFace.IO;
using UniFace.Packages;
using UniFace.TestSupport;
using UniFace.Vision.Photos;
using UniFace.Vision.Quality;

namespace UniFace.Vision.Tests.Models;

/// <summary>A model's faces are aligned to its manifest's template, of any size, and a manifest without one means ArcFace's, as ever.</summary>
public sealed class ManifestAlignmentTests : IDisposable
{
    private const int Width = 60, Height = 70, Size = 16;

    private static readonly ManifestAlignment Alignment = new()
    {
        Landmarks = [[20, 25], [40, 25], [30, 35.5f], [22, 48], [38, 48]],
        Border = CropBorder.Replicate,
        Sampling = CropSampling.Bilinear,
    };

    private static readonly FaceLandmarks Points = new(new(70, 80), new(110, 84), new(92, 105), new(74, 125), new(108, 127));

    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_recognizer_crops_by_the_manifests_points_size_border_and_sampling()
    {
        string package = Write(Manifest(Alignment));
        RgbImage photo = TestImages.Smooth(160, 130);
        using FaceRecognizer recognizer = FaceRecognizer.Open(package);
        AlignmentTemplate template = recognizer.Manifest.CreateTemplate();
        Assert.Equal((Width, Height, "mine", CropBorder.Replicate, CropSampling.Bilinear),
            (template.Width, template.Height, template.Name, template.Border, template.Sampling));
        Assert.Equal(new Point(30, 35.5f), template.Landmarks.Nose);

        DetectedFace face = new(60, 60, 60, 80, 1, Points);
        AlignedFace aligned = new CropAligner(template).Align(photo, face);
        SimilarityTransform fit = SimilarityTransform.Fit(Points.All(), template.Landmarks.All());
        Assert.Equal((Width, Height), (aligned.Image.Width, aligned.Image.Height));
        Assert.Equal(ImageWarp.Warp(photo, fit, Width, Height, antiAlias: false, CropBorder.Replicate).Pixels, aligned.Image.Pixels);
        Assert.NotEqual(ImageWarp.Warp(photo, fit, Width, Height).Pixels, aligned.Image.Pixels);
        Assert.Equal(Size, recognizer.Embedder.Embed([aligned.Image]).Length);
        using FacePipeline pipeline = PhotoPipeline.Open(new PhotoOptions { Aligned = true }, template);
        Assert.Equal(template, pipeline.Search(aligned.Image, FaceChoice.Largest).Faces[0].Template);
    }

    [Fact]
    public void Replicated_borders_show_the_nearest_pixel_of_the_photo()
    {
        RgbImage photo = TestImages.Noise(12, 9, 1);
        RgbImage moved = ImageWarp.Warp(photo, new SimilarityTransform(1, 0, 5, -3), 20, 20, border: CropBorder.Replicate);
        for (int y = 0; y < 20; y++)
        {
            for (int x = 0; x < 20; x++)
            {
                (int fromX, int fromY) = (Math.Clamp(x - 5, 0, 11), Math.Clamp(y + 3, 0, 8));
                Assert.Equal(photo.Pixels[((fromY * 12) + fromX) * 3], moved.Pixels[((y * 20) + x) * 3]);
            }
        }
    }

    [Fact]
    public void Quality_hardly_depends_on_the_template_that_a_face_is_aligned_to()
    {
        RgbImage photo = TestImages.Smooth(200, 200);
        DetectedFace face = new(60, 60, 60, 80, 1, Points);
        FaceQuality arcFace = FaceQuality.Measure(new CropAligner().Align(photo, face));
        ManifestAlignment large = new()
        {
            Landmarks = [[46.177f, 43.179f], [101.750f, 43.179f], [73.963f, 74.641f], [49.186f, 102.425f], [98.741f, 102.425f]],
        };
        AlignmentTemplate template = (Manifest(large) with { InputWidth = 150, InputHeight = 150 }).CreateTemplate();
        FaceQuality other = FaceQuality.Measure(new CropAligner(template).Align(photo, face));
        Assert.Equal(arcFace.EyeDistance!.Value, other.EyeDistance!.Value, 0.06 * arcFace.EyeDistance.Value);
        Assert.Equal(arcFace.Brightness, other.Brightness, 6.0);
        Assert.Equal(arcFace.Sharpness, other.Sharpness, 0.3 * arcFace.Sharpness + 0.02);
        Assert.Equal((arcFace.Yaw, arcFace.Pitch, arcFace.Roll), (other.Yaw, other.Pitch, other.Roll));
    }

    [Fact]
    public void Without_an_alignment_a_manifest_keeps_its_contract_id_and_with_one_every_part_of_it_counts()
    {
        // As versions before alignments computed it.
        ModelManifest old = new() { EmbeddingSize = 512, OnnxSha256 = new string('a', 64) };
        string plain = $"{old.OnnxSha256}|112x112|Rgb|127.5|127.5|arcface-112|False";
        Assert.Equal(Sha256.HashBytes(System.Text.Encoding.UTF8.GetBytes(plain))[..32], old.ContractId);
        Assert.Equal(AlignmentTemplate.ArcFace112, old.CreateTemplate());
        Assert.Equal(AlignmentTemplate.ArcFace(128, 128), (old with { InputWidth = 128, InputHeight = 128 }).CreateTemplate());

        ModelManifest[] different =
        [
            Manifest(null) with { AlignmentTemplate = "arcface-112" }, Manifest(Alignment), Manifest(Alignment) with { AlignmentTemplate = "other" },
            Manifest(Alignment with { Border = CropBorder.Black }), Manifest(Alignment with { Sampling = CropSampling.AntiAliased }),
            Manifest(Alignment with { Landmarks = [[20.01f, 25], .. Alignment.Landmarks.Skip(1)] }),
        ];
        Assert.Equal(different.Length, different.Select(manifest => manifest.ContractId).Distinct().Count());
    }

    [Theory]
    [InlineData("landmarks", "[[1,2],[3,4],[5,6],[7,8]]")]
    [InlineData("landmarks", "[[1,2],[3,4],[5,6],[7,8],[9]]")]
    [InlineData("landmarks", "[[1,2],[3,4],[5,6],[7,8],[9,10,11]]")]
    [InlineData("landmarks", "[[1,2],[3,4],[5,6],[7,8],null]")]
    [InlineData("landmarks", "[[5,5],[5,5],[5,5],[5,5],[5,5]]")]
    [InlineData("landmarks", "[[1,2],[3,4],[5,6],[7,8],[1e30,10]]")]
    [InlineData("landmarks", "null")]
    [InlineData("landmarks", "[[1,2],[3,4],[5,6],[7,8],[\"NaN\",10]]")]
    [InlineData("border", "\"mirror\"")]
    [InlineData("border", "7")]
    [InlineData("sampling", "\"nearest\"")]
    public void An_alignment_that_cannot_be_used_is_refused_when_the_package_is_opened(string field, string value)
    {
        string path = Path.Combine(Write(Manifest(Alignment)), ModelManifest.FileName);
        JsonNode manifest = JsonNode.Parse(File.ReadAllText(path))!;
        manifest["alignment"]![field] = JsonNode.Parse(value);
        ((JsonObject)manifest).Remove("contractId");
        File.WriteAllText(path, manifest.ToJsonString());
        UniFaceException e = Assert.Throws<UniFaceException>(() => ModelPackage.Open(Path.GetDirectoryName(path)!));
        Assert.StartsWith(path + ": ", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [InlineData("arcface-112")]
    [InlineData("arcface-150")]
    [InlineData("")]
    [InlineData("two\nlines")]
    public void A_template_of_its_own_needs_a_name_of_its_own(string name)
    {
        string package = Write(Manifest(Alignment) with { AlignmentTemplate = name });
        Refused.With("alignmentTemplate", () => ModelPackage.Open(package));
    }

    private static ModelManifest Manifest(ManifestAlignment? alignment) => new()
    {
        EmbeddingSize = Size,
        InputWidth = Width,
        InputHeight = Height,
        AlignmentTemplate = "mine",
        Alignment = alignment,
        OnnxSha256 = new string('0', 64),
    };

    private string Write(ModelManifest manifest)
    {
        string package = Path.Combine(folder, "package"), onnx = Path.Combine(package, "model.onnx");
        Directory.CreateDirectory(package);
        TinyOnnx.WriteEmbedder(onnx, Width, Height, Size);
        string json = JsonSerializer.Serialize(manifest with { OnnxSha256 = Sha256.HashFile(onnx) }, ModelManifest.Json);
        File.WriteAllText(Path.Combine(package, ModelManifest.FileName), json);
        return package;
    }
}

/// <summary>The points as an array, in the order of a manifest.</summary>
file static class LandmarkArrays
{
    public static Point[] All(this FaceLandmarks points) => [points.LeftEye, points.RightEye, points.Nose, points.LeftMouth, points.RightMouth];
}
