// A shape over a pane: line, filled rectangle, disc or ring (one instance
// each), as a rectangle one pixel larger than the shape.

layout(location = 0) in vec4 a_box;
layout(location = 1) in vec4 a_style; // kind, width, dash, gap
layout(location = 2) in vec4 a_colour;

uniform vec2 u_pane;

out vec2 v_local; // line: along, across; else pixels from the centre
flat out vec4 v_style;
flat out vec4 v_size; // line: length; fill: half size; disc, ring: radius
flat out vec4 v_colour;

void main()
{
    vec2 corner = cx_corner(gl_VertexID);
    vec2 px;

    v_style = a_style;
    v_colour = a_colour;
    if (a_style.x < 0.5) {
        vec2 ray = a_box.zw - a_box.xy;
        float size = length(ray);
        vec2 along = size > 0.0 ? ray / size : vec2(1.0, 0.0);
        float margin = a_style.y * 0.5 + 1.0;
        v_local = vec2(mix(-1.0, size + 1.0, corner.x), mix(-margin, margin, corner.y));
        v_size = vec4(size, 0.0, 0.0, 0.0);
        px = a_box.xy + along * v_local.x + vec2(-along.y, along.x) * v_local.y;
    } else if (a_style.x < 1.5) {
        vec2 half_size = abs(a_box.zw - a_box.xy) * 0.5;
        v_local = mix(-half_size - 1.0, half_size + 1.0, corner);
        v_size = vec4(half_size, 0.0, 0.0);
        px = (a_box.xy + a_box.zw) * 0.5 + v_local;
    } else {
        float reach = a_box.z + a_style.y * 0.5 + 1.0;
        v_local = mix(vec2(-reach), vec2(reach), corner);
        v_size = vec4(a_box.z, 0.0, 0.0, 0.0);
        px = a_box.xy + v_local;
    }
    gl_Position = cx_pane_to_clip(px, u_pane);
}
