// Surfaces: position in the mesh's own coordinates (nm), normal.

layout(location = 0) in vec3 a_position;
layout(location = 1) in vec4 a_normal;

uniform mat4 u_eye; // mesh to eye
uniform mat4 u_clip; // eye to clip

out vec3 v_normal;
out float v_distance;

void main()
{
    vec4 eye = u_eye * vec4(a_position, 1.0);
    v_normal = mat3(u_eye) * a_normal.xyz;
    v_distance = -eye.z;
    gl_Position = u_clip * eye;
}
