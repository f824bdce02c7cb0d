using UniFace.Data.Identity;

namespace UniFace.Cli.Data;

/// <summary>`uniface data index`: writes the index of a data set beside it, so that it opens at once.</summary>
internal static class DataIndexCommand
{
    private const string Description = """
        Write the index of a data set beside it: training on millions of images then starts at once. Build it again when the set has changed.
        Example: uniface data index ms1m/train.rec
        """;

    public static Command Create()
    {
        Argument<string> data = new("DATA") { Description = "A RecordIO set (its folder or train.rec), a tar, or a folder of tars." };
        CliOption<int?> personLevel = CommonOptions.PersonLevel();
        return CliCommand.Create("index", Description, [data, personLevel], (parsed, _) =>
        {
            (string index, int people, int images) = DatasetIndexBuilder.Build(parsed.GetRequiredValue(data), parsed.GetValue(personLevel));
            long bytes = new FileInfo(index).Length;
            parsed.Print(
                new { index, people, images, bytes },
                $"{index}: {Plural.Format(people, "person")}, {Plural.Format(images, "image")}, {bytes} bytes");
        });
    }
}
