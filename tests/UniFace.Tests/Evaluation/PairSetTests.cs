using System.Globalization;
using UniFace.Data;
using UniFace.Data.Pairs;
using UniFace.Embeddings;
using UniFace.Evaluation.Verification;
using UniFace.Tests.Data;

namespace UniFace.Tests.Evaluation;

/// <summary>Every pair of a list becomes two images of the set and the right label; what cannot be found is an error or counted as missing.</summary>
public class PairSetTests
{
    [Fact]
    public void A_pairs_file_finds_each_image_once_with_any_extension()
    {
        using MemoryDataset images = new("ann/ann_0001.png", "lfw/ann/ann_0002.jpg", "bob/bob_0001.JPG", "carl/carl_0003.jpg", "carl/carl_0004.jpg");
        LfwPairs pairs = new(2, [Same("ann", 1, 2, 0), Other("ann", 1, "bob", 1, 0), Same("ann", 2, 1, 1), Other("bob", 1, "carl", 3, 1)]);
        PairSet set = PairSet.FromLfw("pairs.txt", pairs, images);
        Assert.Equal(["ann/ann_0001.png", "lfw/ann/ann_0002.jpg", "bob/bob_0001.JPG", "carl/carl_0003.jpg"], set.Images);
        Assert.Equal([0, 0, 1, 2], set.People);
        Assert.Equal([new(0, 1, true, 0), new(0, 2, false, 0), new(1, 0, true, 1), new(2, 3, false, 1)], set.Pairs);
        Assert.Equal("carl/carl_0003.jpg"u8.ToArray(), set.Read(3)!.Value.ToArray());
    }

    [Fact]
    public void A_file_with_one_fold_is_distributed_over_ten()
    {
        using MemoryDataset images = new([.. Enumerable.Range(1, 40).Select(i => $"ann/ann_{i:D4}.jpg"), "bob/bob_0001.jpg"]);
        LfwPairs pairs = new(
            1,
            [.. Enumerable.Range(1, 20).Select(i => Same("ann", i, i + 20, 0)), .. Enumerable.Range(1, 20).Select(i => Other("ann", i, "bob", 1, 0))]);
        PairSet set = PairSet.FromLfw("pairs.txt", pairs, images);
        Assert.All(set.Pairs.GroupBy(p => p.Fold), fold => Assert.Equal((2, 2), (fold.Count(p => p.Same), fold.Count(p => !p.Same))));
        Assert.Equal(10, set.Pairs.Select(p => p.Fold).Distinct().Count());
    }

    [Fact]
    public void An_absent_image_is_an_error_for_photos_and_a_missing_face_for_crops()
    {
        using MemoryDataset images = new("ann/ann_0001.jpg", "bob/bob_0001.jpg");
        LfwPairs pairs = new(2, [Same("ann", 1, 2, 0), Other("ann", 1, "bob", 1, 1)]);
        UniFaceException error = Assert.Throws<UniFaceException>(() => PairSet.FromLfw("pairs.txt", pairs, images));
        Assert.Contains("1 of the 3 pictures", error.Message, StringComparison.Ordinal);
        Assert.Contains("ann/ann_0002", error.Message, StringComparison.Ordinal);
        PairSet set = PairSet.FromLfw("pairs.txt", pairs, images, absentIsMissing: true);
        Assert.Equal(1, set.Absent);
        Assert.Null(set.Read(1));
        VerificationScores scores = set.Score(new EmbeddedFaces([1, 0, 0, 0, 0.6f, 0.8f], 2, [true, false, true]));
        Assert.Equal([true, false], [scores.IsMissing(0), scores.IsMissing(1)]);
        Assert.Equal(0.6, scores.Scores[1], 6);
    }

    [Fact]
    public void Crops_of_other_people_are_refused_even_if_missing_images_are_allowed()
    {
        using MemoryDataset images = new("dora/dora_0001.jpg");
        Assert.Throws<UniFaceException>(
            () => PairSet.FromLfw("pairs.txt", new LfwPairs(2, [Same("ann", 1, 2, 0), Other("ann", 1, "bob", 1, 1)]), images, absentIsMissing: true));
    }

    [Theory]
    [InlineData("\t", "", "{0}/{1}.jpg", true)]
    [InlineData(",", "image1,image2,same\n", "\"/data/lfw/{0}/{1}.png\"", true)]
    [InlineData(" ", "", "./lfw/{0}/{1}", true)]
    [InlineData(" ", "", "{0}{1}.jpg", false)]
    public void A_list_of_paths_finds_images_by_the_end_of_their_path_and_people_by_their_folders(string separator, string header, string form, bool people)
    {
        using TempFolder folder = new();
        List<string> lines = [];
        for (int i = 0; i < 12; i++)
        {
            string one = string.Format(CultureInfo.InvariantCulture, form, $"p{i}", 1);
            string other = string.Format(CultureInfo.InvariantCulture, form, $"p{(i % 2 == 0 ? i : (i + 1) % 12)}", 2);
            lines.Add($"{one}{separator}{other}{separator}{(i % 2 == 0 ? 1 : 0)}");
            foreach (int picture in new[] { 1, 2 })
            {
                folder.Write(people ? $"set/p{i}/{picture}.jpg" : $"set/p{i}{picture}.jpg", [(byte)i, (byte)picture]);
            }
        }

        PathPairs pairs = PathPairs.TryRead(folder.Write("pairs", System.Text.Encoding.UTF8.GetBytes(header + string.Join("\n", lines) + "\n")))!;
        using PhotoSet images = PhotoSet.Open(folder["set"]);
        PairSet set = PairSet.FromPaths("pairs", pairs, images);
        Assert.Equal(12, set.Pairs.Count);
        Assert.Equal(10, set.Pairs.Select(pair => pair.Fold).Distinct().Count());
        Assert.Equal([0, 1], set.Read(set.Pairs[0].First)!.Value.ToArray());
        Assert.Equal([2, 2], set.Read(set.Pairs[1].Second)!.Value.ToArray());
        Assert.Equal((true, false), (set.Pairs[0].Same, set.Pairs[1].Same));
        Assert.Equal(people ? 12 : null, set.People?.Distinct().Count());
        File.Delete(folder[people ? "set/p3/1.jpg" : "set/p31.jpg"]);
        using PhotoSet fewer = PhotoSet.Open(folder["set"]);
        Assert.Contains("lacks 1 of the", Assert.Throws<UniFaceException>(() => PairSet.FromPaths("pairs", pairs, fewer)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_of_paths_is_distinguished_from_other_pairs_files_and_a_bad_line_is_named()
    {
        using TempFolder folder = new();
        Assert.Null(Read("10\t300\nAnn\t1\t2\n"));
        Assert.Null(Read("300\nAnn 1 2\n"));
        Assert.Null(Read(""));
        Assert.Equal([new PathPair("a, \"b\".jpg", "c.jpg", true)], Read("\"a, \"\"b\"\".jpg\",c.jpg,1\n")!.Pairs);
        Assert.Contains("line 2 is 'a b c'", Assert.Throws<UniFaceException>(() => Read("a b 1\na b c\n")).Message, StringComparison.Ordinal);

        PathPairs? Read(string text) => PathPairs.TryRead(folder.Write("pairs.txt", System.Text.Encoding.UTF8.GetBytes(text)));
    }

    [Fact]
    public void A_bin_lists_a_repeated_image_once_and_is_split_like_KFold()
    {
        ReadOnlyMemory<byte>[] pictures = [.. Enumerable.Range(0, 46).Select(i => new ReadOnlyMemory<byte>([(byte)(i == 45 ? 0 : i)]))];
        bool[] same = [.. Enumerable.Range(0, 23).Select(i => i % 2 == 0)];
        PairSet set = PairSet.FromBin("lfw.bin", new PairBin(pictures, same));
        Assert.Equal(45, set.Images.Count);
        Assert.Equal((44, 0), (set.Pairs[22].First, set.Pairs[22].Second));
        VerificationScores folded = new VerificationScores(new double[23], same).WithContiguousFolds();
        Assert.Equal(folded.Folds.ToArray(), set.Pairs.Select(p => p.Fold));
        Assert.Equal(same, set.Pairs.Select(p => p.Same));
        Assert.Throws<UniFaceException>(() => PairSet.FromBin("small.bin", new PairBin(pictures[..18], same[..9])));
    }

    private static LfwPair Same(string person, int a, int b, int fold) => new(person, a, person, b, true, fold);

    private static LfwPair Other(string a, int i, string b, int j, int fold) => new(a, i, b, j, false, fold);

    /// <summary>A set whose pictures are their own names.</summary>
    private sealed class MemoryDataset : FaceDataset
    {
        public MemoryDataset(params string[] names)
        {
            Source = "memory";
            People = ["?"];
            Samples = [.. names.Select(n => new FaceSample(n, 0))];
        }

        public override byte[] Read(int index) => System.Text.Encoding.UTF8.GetBytes(Samples[index].Name);
    }
}
