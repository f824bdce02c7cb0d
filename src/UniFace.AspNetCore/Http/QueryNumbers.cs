using System.Reflection;
using Microsoft.AspNetCore.Mvc;

namespace UniFace.AspNetCore.Http;

/// <summary>Refuses numbers in a query string with thousands separators, which the framework's binding accepts: 1,5 would be 15.</summary>
internal static class QueryNumbers
{
    /// <summary>The filter for a group of endpoints.</summary>
    public static ValueTask<object?> Filter(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        foreach (ParameterInfo parameter in context.HttpContext.GetEndpoint()?.Metadata.GetMetadata<MethodInfo>()?.GetParameters() ?? [])
        {
            if ((Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType) != typeof(double))
            {
                continue;
            }

            string name = parameter.GetCustomAttribute<FromQueryAttribute>()?.Name ?? parameter.Name!;
            foreach (string? text in context.HttpContext.Request.Query[name])
            {
                if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) || !double.IsFinite(value))
                {
                    throw new BadHttpRequestException(
                        $"{name} is '{text}': expected a number with a decimal point, e.g. 0.05 or 1e-3, without thousands separators");
                }
            }
        }

        return next(context);
    }
}
