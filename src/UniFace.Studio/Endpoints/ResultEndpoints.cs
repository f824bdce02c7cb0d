using UniFace.Studio.Results;

namespace UniFace.Studio.Endpoints;

/// <summary>/v1/results: the evaluations below the folder of runs, as 'uniface eval' writes them.</summary>
internal static class ResultEndpoints
{
    /// <summary>All evaluations.</summary>
    /// <param name="Folder">The folder that is searched, three levels deep.</param>
    /// <param name="Results">By name.</param>
    internal sealed record ResultList(string Folder, IReadOnlyList<ResultAnswer> Results);

    public static void Map(IEndpointRouteBuilder v1)
    {
        RouteGroupBuilder results = v1.MapGroup("/results").WithTags("results");
        results.MapGet("", List).WithName("results");
        results.MapGet("/figure", Figure).WithName("figure").Produces<byte[]>(Status200OK, "image/svg+xml", "image/jpeg", "image/png");
    }

    /// <summary>List the evaluations below the folder of runs, as 'uniface eval' writes them</summary>
    internal static ResultList List(ResultCatalog catalog) => new(catalog.Root, catalog.Read());

    /// <summary>Get a chart or contact sheet of an evaluation</summary>
    /// <param name="result" example="uce-iresnet18/lfw">Name of the evaluation.</param>
    /// <param name="name" example="roc.svg">Name of the figure.</param>
    internal static PhysicalFileHttpResult Figure(ResultCatalog catalog, string result, string name) =>
        catalog.FindFigure(result, name) is (string path, string type)
            ? TypedResults.PhysicalFile(path, type)
            : throw new ProblemException(Status404NotFound, "no such figure");
}
