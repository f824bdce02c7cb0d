// Mounts the recognition API in an application on http://127.0.0.1:5000: dotnet run
using UniFace.AspNetCore;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.Services.AddUniFace(options => options.Package = "dlib-resnet");
WebApplication app = builder.Build();
app.MapUniFace("/v1");
app.Run("http://127.0.0.1:5000");
