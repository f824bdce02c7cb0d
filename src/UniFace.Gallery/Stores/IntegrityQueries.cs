namespace UniFace.Gallery.Stores;

/// <summary>The checks of references between records, which are the same in every SQL database.</summary>
internal static class IntegrityQueries
{
    /// <summary>Most problems that a check reports.</summary>
    public const int MostProblems = 100;

    /// <summary>Queries that count faulty records, each with the message that follows the count.</summary>
    public static IEnumerable<(string Sql, string Problem)> Create(string people, string templates, string crops, bool keepsCrops)
    {
        yield return ($"SELECT count(*) FROM {templates} t LEFT JOIN {people} p ON p.id = t.person WHERE p.id IS NULL", "templates belong to nobody");
        yield return ($"SELECT count(*) FROM {people} p WHERE NOT EXISTS (SELECT 1 FROM {templates} WHERE person = p.id)", "people have no template");
        yield return ($"SELECT count(*) FROM {crops} c LEFT JOIN {templates} t ON t.id = c.template WHERE t.id IS NULL", "crops belong to no template");
        if (keepsCrops)
        {
            yield return ($"SELECT count(*) FROM {templates} t WHERE NOT EXISTS (SELECT 1 FROM {crops} WHERE template = t.id)", "templates have no crop");
        }
    }
}
