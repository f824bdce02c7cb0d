using UniFace.Data;

namespace UniFace.Tests.Data;

/// <summary>One rule decides which folder is the person; an ambiguous layout is refused.</summary>
public class PersonLayoutTests
{
    [Fact]
    public void A_layout_deeper_than_PERSON_PICTURE_is_refused_unless_the_level_is_given()
    {
        string[] paths = ["Ann/2020/a.jpg", "Ann/2021/a.jpg", "Bob/2020/b.jpg"];
        foreach (bool strict in new[] { false, true })
        {
            string message = Assert.Throws<UniFaceException>(() => PersonLayout.Resolve("n", paths, strict: strict)).Message;
            Assert.Contains("n: Ann/2020/a.jpg lies deeper than PERSON/PICTURE", message, StringComparison.Ordinal);
            Assert.Contains("(level 1 is Ann, 2 is 2020)", message, StringComparison.Ordinal);
        }

        PersonLayout layout = PersonLayout.Resolve("n", paths, level: 1, strict: true);
        Assert.Equal(["Ann", "Bob"], layout.People);
        Assert.Equal([("Ann/2020/a.jpg", 0), ("Ann/2021/a.jpg", 0), ("Bob/2020/b.jpg", 1)], layout.Samples.Select(sample => (sample.Name, sample.Label)));
    }

    [Fact]
    public void Folders_above_the_people_are_skipped_with_a_warning_and_refused_when_strict()
    {
        string[] paths = ["lfw/Ann/a.jpg", "lfw/Bob/b.jpg"];
        PersonLayout layout = PersonLayout.Resolve("n", paths);
        Assert.Equal(["Ann", "Bob"], layout.People);
        Assert.Equal("the people are the folders in lfw", Assert.Single(layout.Warnings));
        Assert.Contains(
            "level 1 is lfw, 2 is Ann",
            Assert.Throws<UniFaceException>(() => PersonLayout.Resolve("n", paths, strict: true)).Message,
            StringComparison.Ordinal);
        Assert.Equal(["Ann", "Bob"], PersonLayout.Resolve("n", paths, level: 2, strict: true).People);

        // The same name in two places may be two people.
        Assert.Contains(
            "one person or two?",
            Assert.Throws<UniFaceException>(() => PersonLayout.Resolve("n", ["x/Ann/a.jpg", "y/Ann/b.jpg"], level: 2)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_picture_beside_the_folders_is_a_warning_for_data_sets_and_refused_when_strict()
    {
        string[] paths = ["Ann/a.jpg", "loose.jpg"];
        Assert.Contains("1 picture beside", Assert.Single(PersonLayout.Resolve("n", paths).Warnings), StringComparison.Ordinal);
        Assert.Contains(
            "whose photo is loose.jpg?",
            Assert.Throws<UniFaceException>(() => PersonLayout.Resolve("n", paths, strict: true)).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "whose photo is loose.jpg?",
            Assert.Throws<UniFaceException>(() => PersonLayout.Resolve("n", paths, level: 1)).Message,
            StringComparison.Ordinal);
    }
}
