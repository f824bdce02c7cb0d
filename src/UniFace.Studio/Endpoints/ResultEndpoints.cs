using UniFace.AspNetCore.OpenApi;
using UniFace.Studio.Results;

namespace UniFace.Studio.Endpoints;

/// <summary>/v1/results: evaluations that 'uniface eval --out' wrote below the folder of runs.</summary>
internal static class ResultEndpoints
{
    /// <summary>All evaluations.</summary>
    /// <param name="Folder">The folder that is searched, three levels deep.</param>
    /// <param name="Results">By name.</param>
    internal sealed record ResultList(string Folder, IReadOnlyList<ResultAnswer> Results);

    public static void Map(IEndpointRouteBuilder v1)
    {
        ResultAnswer example = new(
            "uce-iresnet18/lfw",
            new DateTime(2026, 11, 24, 15, 0, 0, DateTimeKind.Utc),
            JsonSerializer.SerializeToElement(new { accuracy = 0.991 }),
            ["roc.svg"]);
        RouteGroupBuilder results = v1.MapGroup("/results").WithTags("results");
        results.MapGet("", List).WithName("results").WithSummary("List evaluations that 'uniface eval --out' wrote below the folder of runs")
            .WithExamples(null, new ResultList("runs", [example]));
        results.MapGet("/figure", Figure).WithName("figure").WithSummary("Get a chart or contact sheet of an evaluation")
            .Produces<byte[]>(Status200OK, "image/svg+xml", "image/jpeg", "image/png")
            .WithParameterExample("result", example.Name).WithParameterExample("name", example.Figures[0]);
    }

    private static Ok<ResultList> List(ResultCatalog catalog) => TypedResults.Ok(new ResultList(catalog.Root, catalog.Read()));

    private static PhysicalFileHttpResult Figure(ResultCatalog catalog, string result, string name) =>
        catalog.FindFigure(result, name) is (string path, string type)
            ? TypedResults.PhysicalFile(path, type)
            : throw new BadHttpRequestException("there is no such figure", Status404NotFound);
}
