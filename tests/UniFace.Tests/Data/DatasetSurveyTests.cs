using CsCheck;
using UniFace.Data;
using UniFace.Data.Survey;
using UniFace.Embeddings;
using UniFace.Faces;

namespace UniFace.Tests.Data;

/// <summary>Unreadable images, duplicates and wrong labels that were planted are found; nothing else is reported.</summary>
public class DatasetSurveyTests
{
    [Fact]
    public void Sizes_unreadable_files_duplicates_and_images_under_two_people_are_all_found_and_named()
    {
        using TempFolder folder = new();
        folder.Write("Ann/1.jpg", [8, 8, 1]);
        folder.Write("Ann/2.jpg", [8, 8, 2]);
        folder.Write("Ann/3.jpg", [8, 8, 1]);
        folder.Write("Bob/1.jpg", [9, 5, 3]);
        folder.Write("Bob/2.jpg", [0, 0, 0]);
        folder.Write("Bob/3.jpg", []);
        folder.Write("Cat/1.jpg", [8, 8, 2]);
        using FaceDataset dataset = FaceDatasets.Open(folder.Root);
        int done = 0;
        DatasetSurvey survey = DatasetSurvey.Run(dataset, new TinyDecoder(), done: count => Interlocked.Add(ref done, count));
        Assert.Equal([3, 3, 1], survey.ImagesPerPerson);
        Assert.Equal([new PictureSize(8, 8, 4), new PictureSize(9, 5, 1)], survey.Sizes);
        Assert.Equal(["Bob/2.jpg", "Bob/3.jpg"], survey.Unreadable.Select(picture => picture.Name));
        Assert.Equal("Bob/2.jpg is no picture", survey.Unreadable[0].Reason);
        Assert.Equal(2, survey.Duplicates.Count);
        Assert.Equal(["Ann/1.jpg", "Ann/3.jpg"], survey.Duplicates[0].Names);
        Assert.Equal(["Ann"], survey.Duplicates[0].People);
        Assert.Equal(["Ann/2.jpg", "Cat/1.jpg"], survey.Duplicates[1].Names);
        Assert.Equal(["Ann", "Cat"], survey.Duplicates[1].People);
        Assert.Equal(dataset.ComputeHash(), survey.Hash);
        Assert.Null(survey.LabelNoise);
        Assert.Equal(7, done);
    }

    [Fact]
    public void A_deleted_file_is_unreadable_and_the_set_then_has_no_hash()
    {
        using TempFolder folder = new();
        string lost = folder.Write("Ann/1.jpg", [8, 8, 1]);
        folder.Write("Bob/1.jpg", [8, 8, 2]);
        using FaceDataset dataset = FaceDatasets.Open(folder.Root);
        File.Delete(lost);
        DatasetSurvey survey = DatasetSurvey.Run(dataset, new TinyDecoder());
        Assert.Equal("Ann/1.jpg", Assert.Single(survey.Unreadable).Name);
        Assert.Null(survey.Hash);
    }

    [Fact]
    public void Labels_are_checked_on_images_of_the_models_size_and_a_set_that_is_not_aligned_is_refused()
    {
        using TempFolder folder = new();
        (string, byte)[] pictures = [("Ann/1", 1), ("Ann/2", 2), ("Ann/3", 1), ("Ann/4", 130), ("Bob/1", 128), ("Bob/2", 131)];
        foreach ((string name, byte value) in pictures)
        {
            folder.Write(name + ".jpg", [8, 8, value]);
        }

        folder.Write("Bob/3.jpg", [9, 8, 4]);
        using FaceDataset dataset = FaceDatasets.Open(folder.Root);
        LabelNoise noise = DatasetSurvey.Run(dataset, new TinyDecoder(), new TinyEmbedder(8, 8)).LabelNoise!;
        Assert.Equal(6, noise.Judged);
        SuspectLabel suspect = Assert.Single(noise.Suspects);
        Assert.Equal(("Ann/4.jpg", "Ann", "Bob", true), (suspect.Name, suspect.Person, suspect.NearestPerson, suspect.LooksLikeAnother));
        UniFaceException error = Assert.Throws<UniFaceException>(() => DatasetSurvey.Run(dataset, new TinyDecoder(), new TinyEmbedder(112, 112)));
        Assert.Contains("uniface align", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Planted_wrong_labels_are_found_worst_first_and_no_right_ones() =>
        Gen.Select(Gen.Int[3, 8], Gen.Int[5, 12], Gen.Int).Sample((people, each, seed) =>
        {
            // People are orthogonal directions, pictures lie within a few degrees; the last picture of person 0 is one of person 1.
            Random random = new(seed);
            int[] counts = [.. Enumerable.Repeat(each, people)];
            ListDataset dataset = new(counts);
            float[][] embeddings = [.. dataset.Samples.Index().Select(sample => Near(sample.Index == each - 1 ? 1 : sample.Item.Label, people, random))];
            LabelNoise noise = LabelNoise.Find(dataset, embeddings);
            SuspectLabel[] another = [.. noise.Suspects.Where(suspect => suspect.LooksLikeAnother)];
            Assert.Equal($"p0/{each - 1}", Assert.Single(another).Name);
            Assert.Equal(another[0], noise.Suspects[0]);
            Assert.True(another[0].IsOutlier);
            Assert.Equal("p1", another[0].NearestPerson);
            Assert.Equal(people * each, noise.Judged);
        }, iter: 200);

    [Fact]
    public void Own_and_nearest_similarity_are_cosines_with_means_that_exclude_the_image_itself()
    {
        float[] x = [1, 0, 0];
        float[] y = [0, 1, 0];
        float[] d = [0.6f, 0.8f, 0];
        LabelNoise noise = LabelNoise.Find(new ListDataset([3, 2]), [x, d, y, x, x]);

        // p0/0 = x: own mean d + y = (0.6, 1.8), cosine 0.6 / sqrt(3.6); nearest p1 = x, cosine 1.
        SuspectLabel first = noise.Suspects.Single(suspect => suspect.Name == "p0/0");
        Assert.Equal(0.6 / Math.Sqrt(3.6), first.OwnSimilarity, 1e-6);
        Assert.Equal(1, first.NearestSimilarity, 1e-6);
        Assert.Equal("p0/0", noise.Suspects[0].Name);
    }

    [Fact]
    public void People_with_one_image_are_compared_with_and_not_checked()
    {
        float[] x = [1, 0];
        float[] y = [0, 1];
        LabelNoise noise = LabelNoise.Find(new ListDataset([2, 1, 2]), [x, y, y, null, null]);
        Assert.Equal(2, noise.Judged);
        Assert.Equal(["p1"], noise.Suspects.Where(suspect => suspect.LooksLikeAnother).Select(suspect => suspect.NearestPerson));
        Assert.Throws<UniFaceException>(() => LabelNoise.Find(new ListDataset([2, 1]), [x, y, null]));
    }

    [Fact]
    public void A_set_with_one_image_per_person_has_no_checked_labels_and_no_threshold()
    {
        LabelNoise noise = LabelNoise.Find(new ListDataset([1, 1]), [[1, 0], [0, 1]]);
        Assert.Equal((0, null, null, 0), (noise.Judged, noise.MedianSimilarity, noise.OutlierThreshold, noise.Suspects.Count));
    }

    private static float[] Near(int person, int people, Random random)
    {
        double[] vector = [.. Enumerable.Range(0, people + 4).Select(i => (i == person ? 1 : 0) + (0.06 * (random.NextDouble() - 0.5)))];
        double norm = Math.Sqrt(vector.Sum(value => value * value));
        return [.. vector.Select(value => (float)(value / norm))];
    }

    /// <summary>Width, height and one value for all pixels.</summary>
    private sealed class TinyDecoder : IImageDecoder
    {
        public RgbImage Decode(ReadOnlyMemory<byte> encoded, string source)
        {
            ReadOnlySpan<byte> bytes = encoded.Span;
            if (bytes.Length < 3 || bytes[0] == 0)
            {
                throw new UniFaceException($"{source} is no picture");
            }

            RgbImage image = new(bytes[0], bytes[1]);
            image.Pixels.AsSpan().Fill(bytes[2]);
            return image;
        }
    }

    /// <summary>Turns the value of the first pixel into an angle on the circle.</summary>
    private sealed class TinyEmbedder(int width, int height) : IEmbedder
    {
        public int EmbeddingSize => 2;

        public (int Width, int Height) InputSize => (width, height);

        public float[] Embed(IReadOnlyList<RgbImage> faces) =>
            [.. faces.SelectMany(face => new[] { (float)Math.Cos(face.Pixels[0] * Math.PI / 128), (float)Math.Sin(face.Pixels[0] * Math.PI / 128) })];

        public void Dispose()
        {
        }
    }
}
