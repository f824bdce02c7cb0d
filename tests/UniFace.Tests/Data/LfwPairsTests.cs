using UniFace.Data.Pairs;
using UniFace.TestSupport;

namespace UniFace.Tests.Data;

/// <summary>A pairs file is read as LFW defines it; an invalid line is an error with its number.</summary>
public class LfwPairsTests
{
    private const string Text = "2\t2\nAnn\t1\t4\nBob\t2\t3\nAnn\t1\tBob\t2\nCat\t12\tDan\t1\nEve\t1\t2\nEve\t1\t3\nEve\t1\tAnn\t3\nFay\t1\tEve\t2\n";

    [Fact]
    public void Pairs_files_are_read_with_tabs_spaces_Windows_line_ends_and_a_byte_order_mark()
    {
        foreach (string text in new[] { Text, Text.Replace('\t', ' '), Text.ReplaceLineEndings("\r\n"), "\uFEFF" + Text.TrimEnd(), Text + "\n \n" })
        {
            LfwPairs pairs = Read(text);
            Assert.Equal(2, pairs.Folds);
            Assert.Equal(8, pairs.Pairs.Count);
            Assert.Equal(new LfwPair("Bob", 2, "Bob", 3, true, 0), pairs.Pairs[1]);
            Assert.Equal(new LfwPair("Cat", 12, "Dan", 1, false, 0), pairs.Pairs[3]);
            Assert.Equal([true, true, false, false, true, true, false, false], pairs.Pairs.Select(pair => pair.Same));
            Assert.Equal([0, 0, 0, 0, 1, 1, 1, 1], pairs.Pairs.Select(pair => pair.Fold));
            Assert.Equal(("Cat/Cat_0012", "Dan/Dan_0001"), (pairs.Pairs[3].FirstPath, pairs.Pairs[3].SecondPath));
        }
    }

    [Fact]
    public void A_first_line_of_one_number_means_one_fold_and_names_between_tabs_may_contain_spaces()
    {
        LfwPairs pairs = Read("1\nAnn B\t1\t2\nAnn B\t1\tBob C\t1\n");
        Assert.Equal(1, pairs.Folds);
        Assert.Equal("Bob C/Bob C_0001", pairs.Pairs[1].SecondPath);
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("Ann\t1\t2\n", "line 1 is not 'FOLDS TAB N'")]
    [InlineData("0\t3\n", "line 1 is not")]
    [InlineData("1\t99999999999\n", "line 1 is not")]
    [InlineData("1\t1\nAnn\t1\tBob\t1\n", "line 2 has 4 fields, expected 3")]
    [InlineData("1\t1\nAnn\t1\t2\nAnn\t1\t2\n", "line 3 has 3 fields, expected 4")]
    [InlineData("1\t1\nAnn\t0\t2\n", "line 2 has '0' where the number of a picture")]
    [InlineData("1\t1\nAnn\t1\tx\n", "line 2 has 'x'")]
    [InlineData("1\t1\nAnn\t1\t2\nAnn\t1\tAnn\t2\n", "line 3 names Ann twice")]
    [InlineData("1\t1\nAnn\t1\t2\n", "ends after 1 pairs; its first line announces 2")]
    [InlineData("1000\t2147483647\nAnn\t1\t2\n", "ends after 1 pairs")]
    [InlineData("1\t1\nAnn\t1\t2\nAnn\t1\tBob\t2\nBob\t1\t2\n", "line 4 is one more")]
    public void An_invalid_line_is_an_error_with_its_number(string text, string says) =>
        Assert.Contains(says, Assert.Throws<UniFaceException>(() => Read(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void The_official_View_2_file_has_10_folds_of_300_and_300()
    {
        LfwPairs pairs = LfwPairs.Read(SharedData.Require("data/lfw-pairs.txt"));
        Assert.Equal(10, pairs.Folds);
        Assert.All(pairs.Pairs.GroupBy(pair => pair.Fold), fold => Assert.Equal((300, 600), (fold.Count(pair => pair.Same), fold.Count())));
        Assert.Equal("Abel_Pacheco/Abel_Pacheco_0001", pairs.Pairs[0].FirstPath);
    }

    private static LfwPairs Read(string text)
    {
        using TempFolder folder = new();
        return LfwPairs.Read(folder.Write("pairs.txt", System.Text.Encoding.UTF8.GetBytes(text)));
    }
}
