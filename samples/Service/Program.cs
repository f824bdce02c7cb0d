// Serves recognition on http://127.0.0.1:5000: dotnet run
using UniFace.AspNetCore;
using UniFace.AspNetCore.Hosting;

ServerOptions options = new() { Package = "dlib-resnet", Urls = ["http://127.0.0.1:5000"] };
await using WebApplication app = await UniFaceServer.CreateAsync(options);
await app.RunAsync();
