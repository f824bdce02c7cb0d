using UniFace.Gallery.VectorData;
using UniFace.Packages;

namespace UniFace.Gallery.Tests;

/// <summary>A gallery that is opened with a model takes its embeddings only, keeps what they carry, and decides by the model's calibration.</summary>
public sealed class FaceGalleryTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("postgresql://user:secret@host/database?gallery=people")]
    [InlineData("Host=host;Password=secret;Gallery=people")]
    public void An_address_of_a_database_that_is_not_registered_is_no_file(string address)
    {
        UniFaceException error = Assert.Throws<UniFaceException>(() => FaceGallery.Open(address, new Model("a")));
        Assert.Contains("Register", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_enrolled_is_identified_and_who_is_not_is_not()
    {
        string path = Path.Combine(folder, "people.gallery");
        Model model = new("a") { Calibration = Calibrated() };
        await using (IGallery gallery = FaceGallery.Open(path, model)) // created
        {
            await gallery.EnrollAsync("Ann", Face(0));
            await gallery.EnrollManyAsync([("Bob", Face(1)), ("Bob", Face(2))]);
            Assert.Equal(new GalleryCounts(2, 3), await gallery.CountAsync());
        }

        await using IGallery again = await FaceGallery.OpenAsync(path, model, cancellationToken: TestContext.Current.CancellationToken);
        Identification ann = await again.IdentifyAsync(Face(0)), stranger = await again.IdentifyAsync(Face(3), threshold: 0.5);
        Assert.Equal(("Ann", true, 0.8), (ann.Person, ann.IsMatch, ann.Threshold));
        Assert.Equal(1, ann.Score!.Value, 1e-6);
        Assert.True(ann.FalsePositiveIdentificationRate > 0);
        Assert.Contains("reaches the threshold", ann.Reason, StringComparison.Ordinal);
        Assert.False(stranger.IsMatch);
        Assert.Contains("is below the threshold 0.5000", stranger.Reason, StringComparison.Ordinal);
        Assert.Equal("Bob", (await again.SearchAsync(Face(2), people: 1))[0].Person);
        Assert.True(await again.RemoveAsync("Ann"));
        Assert.False((await again.IdentifyAsync(Face(0), threshold: 0.5)).IsMatch);
    }

    [Fact]
    public async Task Embeddings_and_models_of_another_contract_are_refused()
    {
        string path = Path.Combine(folder, "people.gallery");
        await using (IGallery gallery = FaceGallery.Create(path, new Model("a")))
        {
            FaceEmbedding other = new(Face(0).Values, "b"), longer = new(new float[] { 1, 0, 0, 0, 0 }, "a");
            await ErrorAssert.ContainsAsync("contract b", () => gallery.EnrollAsync("Ann", other));
            await ErrorAssert.ContainsAsync("5 values", () => gallery.EnrollAsync("Ann", longer));
            await ErrorAssert.ContainsAsync("contract b", () => gallery.IdentifyAsync(other, threshold: 0.5));
            await ErrorAssert.ContainsAsync("no calibration", () => gallery.IdentifyAsync(Face(0)));
        }

        await ErrorAssert.ContainsAsync("the model of b", () => FaceGallery.OpenAsync(path, new Model("b")));
        Assert.Throws<UniFaceException>(() => FaceGallery.Create(path, new Model("a")));
    }

    [Fact]
    public async Task A_photo_is_enrolled_once_and_its_crop_and_source_are_kept()
    {
        string path = Path.Combine(folder, "crops.gallery");
        FaceGalleryOptions options = new() { KeepCrops = true, Scoring = PersonScore.Mean };
        byte[] crop = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];
        FaceEmbedding face = new(Face(0).Values, "a") { Source = "ann.jpg", PhotoSha256 = new string('7', 64), EncodeCrop = () => crop };
        await using (IGallery gallery = FaceGallery.Create(path, new Model("a"), options))
        {
            Assert.Equal(await gallery.EnrollAsync("Ann", face), await gallery.EnrollAsync("Ann", face));
            Assert.Equal((true, PersonScore.Mean), (gallery.Info.KeepsCrops, gallery.Info.Scoring));
            await ErrorAssert.ContainsAsync("crop", () => gallery.EnrollAsync("Bob", Face(1)));
        }

        await using StoredGallery stored = await FaceGallery.OpenStoreAsync(path, cancellationToken: TestContext.Current.CancellationToken);
        StoredTemplate kept = Assert.Single((await stored.ReadPersonAsync("Ann", TestContext.Current.CancellationToken))!.Templates);
        Assert.Equal("ann.jpg", kept.Source);
        Assert.Equal(crop, kept.Crop.ToArray());
    }

    [Fact]
    public async Task A_vector_store_is_such_a_gallery_too()
    {
        using VectorData.MemoryVectorStore store = new();
        Model model = new("a");
        await using IGallery gallery = await VectorStoreGalleries.CreateAsync(store, "people", model, cancellationToken: TestContext.Current.CancellationToken);
        await gallery.EnrollAsync("Ann", Face(0), TestContext.Current.CancellationToken);
        Assert.Equal("Ann", (await gallery.IdentifyAsync(Face(0), threshold: 0.9)).Person);
    }

    private static FaceEmbedding Face(int axis)
    {
        float[] values = new float[4];
        values[axis] = 1;
        return new FaceEmbedding(values, "a");
    }

    private static Calibration Calibrated() => new()
    {
        FlipSum = false,
        Data = new CalibrationData { Name = "invented", Sha256 = new string('0', 64), SamePairs = 1000, DifferentPairs = 10_000_000 },
        Created = DateTimeOffset.UnixEpoch,
        Entries = [new CalibrationEntry { FalseMatchRate = 1e-3, Supported = true, Threshold = 0.8 }],
        Curve = [new CalibrationPoint(0.8, 1e-3, 0.9), new CalibrationPoint(0.5, 0.1, 0.99)],
    };

    private sealed class Model(string contract) : IFaceModel
    {
        public string ContractId => contract;

        public int EmbeddingSize => 4;

        public Calibration? Calibration { get; init; }
    }
}
