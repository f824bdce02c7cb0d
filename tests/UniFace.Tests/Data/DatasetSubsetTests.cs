using CsCheck;
using UniFace.Data;

namespace UniFace.Tests.Data;

/// <summary>A filter keeps the order of people and images and numbers the labels without gaps.</summary>
public class DatasetSubsetTests
{
    [Fact]
    public void People_within_the_limits_keep_their_order_and_their_images() =>
        Gen.Select(Gen.Int[0, 9].Array[2, 12], Gen.Int[0, 5], Gen.Int[1, 9].Nullable(), Gen.Long).Sample((counts, min, max, seed) =>
        {
            max = max is null ? null : Math.Max(max.Value, Math.Max(min, 1));
            if (counts.Max() < Math.Max(min, 1))
            {
                return;
            }

            using DatasetSubset filtered = DatasetSubset.LimitImages(new ListDataset(counts), min, max, seed);
            int[] stay = [.. Enumerable.Range(0, counts.Length).Where(person => counts[person] >= Math.Max(min, 1))];
            Assert.Equal(stay.Select(person => $"p{person}"), filtered.People);
            Assert.Equal(stay.Select(person => Math.Min(counts[person], max ?? int.MaxValue)), filtered.SamplesByPerson().Select(samples => samples.Length));
            Assert.Equal(filtered.Samples.Select(sample => sample.Name).Distinct().Count(), filtered.Samples.Count);
            for (int i = 0; i < filtered.Samples.Count; i++)
            {
                Assert.StartsWith(filtered.People[filtered.Samples[i].Label] + "/", filtered.Samples[i].Name, StringComparison.Ordinal);
                Assert.Equal(filtered.Samples[i].Name, System.Text.Encoding.ASCII.GetString(filtered.Read(i)));
            }

            using DatasetSubset again = DatasetSubset.LimitImages(new ListDataset(counts), min, max, seed);
            Assert.Equal(filtered.Samples, again.Samples);
        });

    [Fact]
    public void Folds_hold_out_everybody_with_two_images_once_and_train_on_the_others()
    {
        int[] counts = [3, 1, 2, 5, 2, 2, 4, 2];
        ListDataset data = new(counts);
        List<string> seen = [];
        for (int fold = 1; fold <= 3; fold++)
        {
            (FaceDataset training, FaceDataset heldOut) = DatasetSubset.HoldOutFold(data, fold, 3, seed: 4);
            Assert.InRange(heldOut.People.Count, 2, 3);
            Assert.Equal(data.People.Order(), training.People.Concat(heldOut.People).Order());
            seen.AddRange(heldOut.People);
        }

        Assert.Equal(data.People.Where((_, person) => counts[person] >= 2).Order(), seen.Order());
        Assert.Contains("use fewer folds", Assert.Throws<UniFaceException>(() => DatasetSubset.HoldOutFold(data, 1, 4, 4)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Limits_that_select_no_person_or_contradict_each_other_are_errors()
    {
        Assert.Contains(
            "the most that one person has is 4",
            Assert.Throws<UniFaceException>(() => DatasetSubset.LimitImages(new ListDataset([3, 4]), 5, null, 1)).Message,
            StringComparison.Ordinal);
        Assert.Throws<UniFaceException>(() => DatasetSubset.LimitImages(new ListDataset([3, 4]), 3, 2, 1));
        Assert.Throws<UniFaceException>(() => DatasetSubset.LimitImages(new ListDataset([3, 4]), 0, 0, 1));
    }

    [Fact]
    public void A_set_that_cannot_be_trained_on_is_refused_and_single_images_warn()
    {
        Assert.Contains("has 1 person", Fails(new ListDataset([3])), StringComparison.Ordinal);
        Assert.Contains("1 person has no image (p1)", Fails(new ListDataset([3, 0, 2])), StringComparison.Ordinal);
        Assert.Contains("p0/0 has the label 7, expected 0 to 1", Fails(new ListDataset([3, 2], label: 7)), StringComparison.Ordinal);
        Assert.Contains("p0/0 has the label -1", Fails(new ListDataset([3, 2], label: -1)), StringComparison.Ordinal);
        Assert.Empty(FaceDatasetCheck.Require(new ListDataset([3, 2])));
        Assert.Contains("2 people have only one image", Assert.Single(FaceDatasetCheck.Require(new ListDataset([3, 1, 1]))), StringComparison.Ordinal);

        static string Fails(FaceDataset dataset) => Assert.Throws<UniFaceException>(() => FaceDatasetCheck.Require(dataset)).Message;
    }
}

/// <summary>People p0, p1 ... with images p0/0, p0/1 ... that contain their name; optionally a first label that is wrong.</summary>
internal sealed class ListDataset : FaceDataset
{
    public ListDataset(int[] counts, int? label = null)
    {
        Source = "list";
        People = [.. counts.Select((_, i) => $"p{i}")];
        Samples =
        [
            .. counts.SelectMany((count, person) => Enumerable.Range(0, count).Select(
                i => new FaceSample($"p{person}/{i}", i == 0 && person == 0 && label is int wrong ? wrong : person))),
        ];
    }

    public override byte[] Read(int index) => System.Text.Encoding.ASCII.GetBytes(Samples[index].Name);
}
