using System.Text;
using UniFace.Data;
using UniFace.Data.Merging;

namespace UniFace.Tests.Data;

/// <summary>Several sets are one set, in which people of different sets are different people.</summary>
public class MergedDatasetTests
{
    [Fact]
    public void People_of_different_sets_are_different_and_samples_keep_their_contents()
    {
        using FaceDataset merged = MergedDataset.Merge(new ListDataset([2, 1]), new ListDataset([1, 2, 1]));
        Assert.Equal(["p0", "p1", "p0 (set 2)", "p1 (set 2)", "p2"], merged.People);
        Assert.Equal(["p0", "p1", "p0", "p1", "p2"], Enumerable.Range(0, 5).Select(merged.NameOf));
        Assert.Equal(["1/p0/0", "1/p0/1", "1/p1/0", "2/p0/0", "2/p1/0", "2/p1/1", "2/p2/0"], merged.Samples.Select(sample => sample.Name));
        Assert.Equal([0, 0, 1, 2, 3, 3, 4], merged.Samples.Select(sample => sample.Label));
        Assert.Equal([0, 0, 0, 1, 1, 1, 1], Enumerable.Range(0, 7).Select(merged.PartOf));
        Assert.All(Enumerable.Range(0, 7), i => Assert.Equal(merged.Samples[i].Name[2..], Encoding.ASCII.GetString(merged.Read(i))));
        Assert.Equal([2, 1, 1, 2, 1], merged.ImagesPerPerson());
        Assert.Contains("3 people have only one image", Assert.Single(FaceDatasetCheck.Require(merged)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_part_of_merged_sets_knows_where_its_samples_are_from()
    {
        using FaceDataset merged = MergedDataset.Merge(new ListDataset([2, 1]), new ListDataset([1, 2, 1]));
        using FaceDataset part = DatasetSubset.SelectPeople(merged, ["p1", "p1 (set 2)"]);
        Assert.Equal([0, 1, 1], Enumerable.Range(0, 3).Select(part.PartOf));
        Assert.Equal([2, 4, 5], Enumerable.Range(0, 3).Select(part.WholeIndexOf));
        Assert.Equal(["p1", "p1"], Enumerable.Range(0, 2).Select(part.NameOf));
    }

    [Fact]
    public void One_set_stays_as_it_is()
    {
        using ListDataset one = new([2, 1]);
        Assert.Same(one, MergedDataset.Merge(one));
    }
}
