using System.Text.Json;

namespace UniFace.Cli.Tests.Data;

/// <summary>data info reports every defect of a data set.</summary>
public class DataInfoCommandTests
{
    [Fact]
    public void Data_info_counts_people_images_and_sizes_and_names_the_problems()
    {
        string folder = Directory.CreateTempSubdirectory("uniface-test-").FullName;
        try
        {
            string set = Path.Combine(folder, "set");
            CliProcess.Run("data", "make", set, "--people", "3", "--images", "4").Expect(0);
            string[] people = [.. Directory.GetDirectories(set).Order(StringComparer.Ordinal)];
            string[] images = [.. Directory.GetFiles(people[0]).Order(StringComparer.Ordinal)];
            File.Copy(images[0], Path.Combine(people[1], "copied.png"));
            File.WriteAllText(Path.Combine(people[2], "broken.jpg"), "not an image");

            JsonElement info = CliProcess.Run("data", "info", set, "--json").Expect(0).Json();
            Assert.Equal(3, info.GetProperty("people").GetInt32());
            Assert.Equal(14, info.GetProperty("images").GetInt32());
            Assert.Equal(64, info.GetProperty("sha256").GetString()!.Length);
            Assert.Equal(112, Assert.Single(info.GetProperty("sizes").EnumerateArray()).GetProperty("width").GetInt32());
            Assert.EndsWith(
                "broken.jpg", Assert.Single(info.GetProperty("unreadable").EnumerateArray()).GetProperty("name").GetString(), StringComparison.Ordinal);
            JsonElement shared = Assert.Single(info.GetProperty("underTwoPeople").EnumerateArray());
            Assert.Equal(
                [Path.GetFileName(people[0]), Path.GetFileName(people[1])],
                shared.GetProperty("people").EnumerateArray().Select(name => name.GetString()!));
            Assert.Empty(info.GetProperty("duplicates").EnumerateArray());
            Assert.Equal(3, info.GetProperty("imagesPerPerson").GetProperty("histogram").EnumerateArray().Sum(bin => bin.GetProperty("people").GetInt32()));

            string text = CliProcess.Run("data", "info", set).Expect(0).Out;
            Assert.Contains("3 people, 14 images", text, StringComparison.Ordinal);
            Assert.Contains("1 unreadable", text, StringComparison.Ordinal);
            Assert.Contains("copied.png", text, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Invalid_data_set_prints_one_line_and_exits_with_2()
    {
        CliResult result = CliProcess.Run("data", "info", "/no/such/set").Expect(2);
        Assert.Contains("a folder with one folder per person", result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
    }
}
