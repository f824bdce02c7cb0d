using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using UniFace.Server.OpenApi;
using UniFace.Server.Runs;

namespace UniFace.Server.Endpoints;

/// <summary>/v1/results: what 'uniface eval --out' wrote under the folder of runs.</summary>
internal static class ResultEndpoints
{
    /// <summary>All results.</summary>
    /// <param name="Folder">Where they are looked for, three folders deep.</param>
    /// <param name="Results">By name.</param>
    public sealed record ResultList(string Folder, IReadOnlyList<ResultAnswer> Results);

    /// <summary>One evaluation.</summary>
    /// <param name="Name">Its folder, from the folder of runs on.</param>
    /// <param name="Measured">When.</param>
    /// <param name="Report">eval.json.</param>
    /// <param name="Figures">Names of the charts and contact sheets beside it, for /v1/results/figure.</param>
    public sealed record ResultAnswer(string Name, DateTime Measured, JsonElement Report, IReadOnlyList<string> Figures);

    public static void Map(IEndpointRouteBuilder v1)
    {
        RouteGroupBuilder results = v1.MapGroup("/results").WithTags("results");
        results.MapGet("", List).WithName("results").WithSummary("List evaluations that 'uniface eval --out' wrote under the folder of runs")
            .WithExamples(null, new ResultList("runs", [new("uce-iresnet18/lfw", new DateTime(2026, 11, 24, 15, 0, 0, DateTimeKind.Utc), JsonSerializer.SerializeToElement(new { accuracy = 0.991 }), ["roc.svg"])]));
        results.MapGet("/figure", Figure).WithName("figure").WithSummary("A chart or contact sheet of an evaluation").Produces<byte[]>(StatusCodes.Status200OK, "image/svg+xml", "image/jpeg", "image/png");
    }

    private static Ok<ResultList> List(ResultCatalog catalog) => TypedResults.Ok(new ResultList(catalog.Root, catalog.Read()));

    private static PhysicalFileHttpResult Figure(ResultCatalog catalog, string result, string name) =>
        catalog.Figure(result, name) is (string path, string type)
            ? TypedResults.PhysicalFile(path, type)
            : throw new BadHttpRequestException("there is no such figure", StatusCodes.Status404NotFound);
}
