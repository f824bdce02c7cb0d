namespace UniFace.Gallery.Stores;

/// <summary>Checks of references between the records of an SQL database.</summary>
internal static class IntegrityQueries
{
    /// <summary>Most problems that a check reports.</summary>
    public const int MostProblems = 100;

    /// <summary>Finds problems.</summary>
    /// <param name="store">The gallery.</param>
    /// <param name="session">A transaction.</param>
    /// <param name="own">The database's own queries, which count faulty records, each with the message that follows the count.</param>
    /// <returns>The problems, one line each.</returns>
    public static async Task<List<string>> FindAsync(SqlStore store, SqlSession session, params IEnumerable<(string Sql, string Problem)> own)
    {
        (string people, string templates, string crops) = (store.People, store.Templates, store.Crops);
        List<string> problems = [];
        foreach ((string sql, string problem) in (IEnumerable<(string, string)>)
        [
            ($"SELECT count(*) FROM {templates} t LEFT JOIN {people} p ON p.id = t.person WHERE p.id IS NULL", "templates have no person"),
            ($"SELECT count(*) FROM {people} p WHERE NOT EXISTS (SELECT 1 FROM {templates} WHERE person = p.id)", "people have no template"),
            ($"SELECT count(*) FROM {crops} c LEFT JOIN {templates} t ON t.id = c.template WHERE t.id IS NULL", "crops belong to no template"),
            .. store.Info.KeepsCrops
                ? [($"SELECT count(*) FROM {templates} t WHERE NOT EXISTS (SELECT 1 FROM {crops} WHERE template = t.id)", "templates have no crop")]
                : (IEnumerable<(string, string)>)[],
            .. own,
        ])
        {
            if (await session.ScalarAsync(sql) is long count and > 0)
            {
                problems.Add($"{count} {problem}");
            }
        }

        return problems;
    }
}
