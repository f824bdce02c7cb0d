using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using UniFace.TestSupport;

namespace UniFace.Studio.Tests;

/// <summary>The API's description is a contract: it matches docs/openapi.json. UNIFACE_UPDATE=1 rewrites the file.</summary>
public sealed class OpenApiTests
{
    [Fact]
    public async Task The_description_equals_docs_openapi_json()
    {
        await using RunningServer server = await StudioServer.StartAsync();
        string served = (await server.Client.GetStringAsync("/openapi/v1.json")).ReplaceLineEndings("\n").TrimEnd() + "\n";
        string kept = Path.Combine(Checkout.Root, "docs", "openapi.json");
        if (Environment.GetEnvironmentVariable("UNIFACE_UPDATE") == "1")
        {
            File.WriteAllText(kept, served);
        }

        Assert.True(
            File.ReadAllText(kept) == served,
            "the API's description is not that of docs/openapi.json; run this test with UNIFACE_UPDATE=1 if the change is meant");
    }

    [Fact]
    public async Task Every_operation_has_a_summary_examples_a_scope_and_errors()
    {
        await using RunningServer server = await StudioServer.StartAsync();
        JsonNode document = JsonNode.Parse(await server.Client.GetStringAsync("/openapi/v1.json"))!;
        Assert.StartsWith("3.0", document["openapi"]!.GetValue<string>(), StringComparison.Ordinal);
        List<string> paths = [];
        foreach ((string path, JsonNode? item) in document["paths"]!.AsObject())
        {
            paths.Add(path);
            foreach ((string method, JsonNode? operation) in item!.AsObject())
            {
                Assert.False(string.IsNullOrEmpty(operation!["summary"]?.GetValue<string>()), $"{method} {path} has no summary");
                Assert.NotNull(operation["operationId"]);
                Assert.NotNull(operation["responses"]!["default"]!["content"]!["application/problem+json"]);
                Assert.True(operation["security"]?.AsArray().Count == 1, $"{method} {path} does not say that it takes a key");
                foreach ((string status, JsonNode? answer) in operation["responses"]!.AsObject().Where(r => r.Key != "default"))
                {
                    foreach ((string type, JsonNode? content) in answer!["content"]?.AsObject() ?? [])
                    {
                        Assert.True(
                            content!["example"] is not null || type.StartsWith("image/", StringComparison.Ordinal),
                            $"{method} {path} has no example of {status} {type}");
                    }
                }

                foreach (JsonNode? parameter in (operation["parameters"]?.AsArray() ?? []).Where(p => p!["in"]!.GetValue<string>() == "path"))
                {
                    Assert.True(parameter!["example"] is not null, $"{method} {path} has no example of {parameter["name"]}");
                }

                if (operation["requestBody"]?["content"]?["multipart/form-data"] is JsonNode form)
                {
                    Assert.Contains("\"binary\"", form.ToJsonString(), StringComparison.Ordinal);
                    Assert.NotNull(operation["requestBody"]!["content"]!["application/json"]!["example"]);
                }
            }
        }

        // The description says which scope each operation requires.
        foreach ((string path, string method, string scope) in new[]
        {
            ("/v1/losses", "get", "read"), ("/v1/losses/curves", "get", "read"), ("/v1/runs", "get", "read"),
            ("/v1/runs/{run}/resume", "post", "admin"), ("/v1/runs/{run}/stop", "post", "admin"), ("/v1/results/figure", "get", "read"),
            ("/v1/people", "post", "enrol"), ("/v1/people/{person}", "delete", "admin"), ("/v1/gallery/export", "get", "admin"),
        })
        {
            Assert.EndsWith($"Requires the scope {scope}.", document["paths"]![path]![method]!["description"]!.GetValue<string>(), StringComparison.Ordinal);
        }

        foreach (string expected in new[]
        {
            "/v1/detect", "/v1/align", "/v1/embed", "/v1/verify", "/v1/identify",
            "/v1/people", "/v1/people/{person}", "/v1/people/{person}/export", "/v1/gallery", "/v1/gallery/export",
        })
        {
            Assert.Contains(expected, paths);
        }
    }

    [Fact]
    public async Task Every_example_is_valid_and_every_response_example_is_complete()
    {
        await using RunningServer server = await StudioServer.StartAsync();
        JsonNode paths = JsonNode.Parse(await server.Client.GetStringAsync("/openapi/v1.json"))!["paths"]!;
        JsonSerializerOptions json = new(server.Services.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions)
        {
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        };
        int checkedTypes = 0;
        foreach (RouteEndpoint endpoint in server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>())
        {
            string path = endpoint.RoutePattern.RawText!.TrimEnd('/'), method = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods[0] ?? "";
            if (paths[path]?[method.ToLowerInvariant()] is not JsonNode operation)
            {
                continue;
            }

            if (operation["requestBody"]?["content"]!["application/json"]!["example"] is JsonNode request)
            {
                Assert.NotNull(request.Deserialize(endpoint.Metadata.GetMetadata<IAcceptsMetadata>()!.RequestType!, json));
            }

            foreach (IProducesResponseTypeMetadata produced in endpoint.Metadata.OfType<IProducesResponseTypeMetadata>())
            {
                if (operation["responses"]![$"{produced.StatusCode}"]?["content"]?["application/json"]?["example"] is JsonNode example)
                {
                    Type type = produced.Type!.Name.StartsWith("IAsyncEnumerable", StringComparison.Ordinal)
                        ? produced.Type.GenericTypeArguments[0].MakeArrayType()
                        : produced.Type;
                    JsonNode? again = JsonSerializer.SerializeToNode(example.Deserialize(type, json), type, json);
                    Assert.True(JsonNode.DeepEquals(example, again), $"{method} {path}: the example is {example}, but its type has {again}");
                    checkedTypes++;
                }
            }
        }

        Assert.True(checkedTypes > 12, $"only {checkedTypes} examples were found");
    }

    [Fact]
    public async Task The_reference_page_is_local_and_its_script_has_a_nonce()
    {
        await using RunningServer server = await StudioServer.StartAsync();
        HashSet<string> policies = [];
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage page = await server.Client.GetAsync("/scalar/");
            string html = await page.Content.ReadAsStringAsync(), policy = page.Headers.GetValues("Content-Security-Policy").Single();
            policies.Add(policy);
            string nonce = policy.Split("'nonce-")[1].Split('\'')[0];
            Assert.True(nonce.Length >= 16);
            foreach (string script in html.Split("<script")[1..])
            {
                Assert.Contains($"nonce=\"{nonce}\"", script[..script.IndexOf('>', StringComparison.Ordinal)], StringComparison.Ordinal);
                Assert.DoesNotContain("src=\"http", script, StringComparison.Ordinal);
            }
        }

        Assert.Equal(2, policies.Count);
    }

    [Fact]
    public async Task Metrics_are_in_prometheus_format_without_names()
    {
        await using RunningServer server = await StudioServer.StartAsync();
        await server.EnrollAsync("Ann-of-the-metrics", 1);
        await server.GetAsync("/v1/people/Ann-of-the-metrics");
        string metrics = await server.Client.GetStringAsync("/metrics");
        Assert.Contains("uniface_embedding_batch", metrics, StringComparison.Ordinal);
        Assert.Contains("http_server_request_duration_seconds_count", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("Ann-of-the-metrics", metrics, StringComparison.Ordinal);
    }
}
