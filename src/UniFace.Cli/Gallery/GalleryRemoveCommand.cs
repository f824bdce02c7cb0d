namespace UniFace.Cli.Gallery;

/// <summary>`uniface gallery remove`: erases people.</summary>
internal static class GalleryRemoveCommand
{
    private const string Description = """
        Erase people with their templates and faces. No bytes of them remain in the gallery's files; on PostgreSQL none remain in
        its tables, but the server's log and backups are outside UniFace's control. Exit code 1: at least one was not enrolled.
        Example: uniface gallery remove people.gallery Ann
        """;

    public static Command Create()
    {
        Argument<string[]> people = new("PERSON") { Description = "Names of the people.", Arity = ArgumentArity.OneOrMore };
        GalleryOptions options = new();
        return CliCommand.Create("remove", Description, [options.Gallery, people, .. options.Keys], async (parsed, stop) =>
        {
            await using StoredGallery gallery = await options.OpenAsync(parsed, stop);
            List<string> removed = [], missing = [];
            foreach (string person in parsed.GetRequiredValue(people).Distinct())
            {
                (await gallery.RemoveAsync(person, stop) ? removed : missing).Add(person);
            }

            parsed.Print(new { gallery = gallery.Path, removed, notEnrolled = missing }, () =>
            {
                removed.ForEach(p => Console.WriteLine($"removed: {Output.Name(p)}"));
                missing.ForEach(p => Console.WriteLine($"not enrolled: {Output.Name(p)}"));
            });
            return missing.Count == 0;
        });
    }
}
