using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using UniFace.Server.OpenApi;
using UniFace.Server.Runs;
using UniFace.Training.Runs;

namespace UniFace.Server.Endpoints;

/// <summary>/v1/runs: trainings, how they stand and how they went; going on with one and stopping it.</summary>
internal static class RunEndpoints
{
    /// <summary>All runs.</summary>
    /// <param name="Folder">Where they are looked for.</param>
    /// <param name="Runs">By name.</param>
    public sealed record RunList(string Folder, IReadOnlyList<RunSummary> Runs);

    /// <summary>One run.</summary>
    /// <param name="Summary">How it stands.</param>
    /// <param name="Metrics">Rows of its metrics.jsonl, as training wrote them: kind "step" and kind "epoch".</param>
    /// <param name="Whole">True: these are all rows; false: only those written since the cursor that was sent.</param>
    /// <param name="Cursor">To be sent as "after" next time, for the rows that come after these.</param>
    /// <param name="Notes">Starts, warnings and ends.</param>
    public sealed record RunAnswer(RunSummary Summary, IReadOnlyList<JsonElement> Metrics, bool Whole, string Cursor, IReadOnlyList<RunNote> Notes);

    public static void Map(IEndpointRouteBuilder v1)
    {
        DateTime time = new(2026, 11, 24, 15, 0, 0, DateTimeKind.Utc);
        RunSummary example = new("uce-iresnet18", RunState.Running, null, "uce(margin=0.3)", "iresnet18", "faces", 8000, 400_000, 100, time, time.AddHours(1), 2, 20, 6250, 62_500, 3.2, 0.91);
        RouteGroupBuilder runs = v1.MapGroup("/runs").WithTags("runs");
        runs.MapGet("", List).WithName("runs").WithSummary("List the trainings of the service's folder of runs")
            .WithExamples(null, new RunList("runs", [example]));
        runs.MapGet("/{run}", Get).WithName("run").WithSummary("Tell how a training went: every row of its metrics, or those since a cursor, and its notes")
            .WithExamples(null, new RunAnswer(
                example,
                [JsonSerializer.SerializeToElement(new { kind = "step", step = 6250, epoch = 2, loss = 3.2 })],
                Whole: true,
                "4096",
                [new RunNote(time, 0, 0, RunEvent.Started, "from the start")]));
        runs.MapGet("/{run}/map", MapAsync).WithName("runMap").WithSummary("Embeddings of people as a training's checkpoint sees them, in two dimensions: method=pca or method=tsne").DisableRequestTimeout()
            .WithExamples(null, new EmbeddingMapAnswer(MapMethod.Pca, Unseen: true, 2, 0.41, null, 0.93, time, [new(0, 0.4, -0.1), new(1, -0.5, 0.2)]));
        runs.MapPost("/{run}/resume", Resume).WithName("resumeRun").WithSummary("Go on with a training, in this service")
            .WithExamples(null, example, StatusCodes.Status202Accepted);
        runs.MapPost("/{run}/stop", StopAsync).WithName("stopRun").WithSummary("Save a training that runs in this service, and end it").DisableRequestTimeout()
            .WithExamples(null, example with { State = RunState.Stopped });
    }

    private static Ok<RunList> List(RunCatalog catalog, RunWorker worker) =>
        TypedResults.Ok(new RunList(catalog.Root, [.. catalog.Folders().Select(f => Summary(f, catalog, worker))]));

    private static Ok<RunAnswer> Get(string run, RunCatalog catalog, RunWorker worker, [FromQuery] string? after = null)
    {
        string folder = Find(catalog, run);
        return TypedResults.Ok(catalog.Read(folder, worker.Trains(folder), worker.FailureOf(folder), after));
    }

    private static async Task<Ok<EmbeddingMapAnswer>> MapAsync(string run, RunCatalog catalog, EmbeddingMaps maps, CancellationToken stop, [FromQuery] string method = "pca")
    {
        MapMethod chosen = method switch
        {
            "pca" => MapMethod.Pca,
            "tsne" => MapMethod.Tsne,
            _ => throw new UniFaceException($"method = {method}: maps are drawn by pca or by tsne."),
        };
        return TypedResults.Ok(await maps.DrawAsync(Find(catalog, run), chosen, stop));
    }

    private static Accepted<RunSummary> Resume(string run, RunCatalog catalog, RunWorker worker)
    {
        string folder = Find(catalog, run);
        RunSummary now = Summary(folder, catalog, worker);
        if (now.State is RunState.Finished or RunState.RunningElsewhere)
        {
            throw new BadHttpRequestException(
                now.State == RunState.Finished ? "this run has trained to its end; start a new one with 'uniface train'" : "another process trains this run; two would overwrite each other's checkpoints",
                StatusCodes.Status409Conflict);
        }

        worker.Resume(folder);
        return TypedResults.Accepted((string?)null, Summary(folder, catalog, worker));
    }

    private static async Task<Ok<RunSummary>> StopAsync(string run, RunCatalog catalog, RunWorker worker)
    {
        string folder = worker.Find(run) ?? Find(catalog, run);
        await worker.StopAsync(folder);
        return TypedResults.Ok(Summary(folder, catalog, worker));
    }

    private static RunSummary Summary(string folder, RunCatalog catalog, RunWorker worker) => catalog.Summarise(folder, worker.Trains(folder), worker.FailureOf(folder));

    private static string Find(RunCatalog catalog, string run) =>
        catalog.Find(run) ?? throw new BadHttpRequestException($"there is no run of this name in {catalog.Root}", StatusCodes.Status404NotFound);
}
